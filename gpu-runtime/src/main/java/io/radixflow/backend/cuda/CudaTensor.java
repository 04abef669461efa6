package io.radixflow.backend.cuda;

import io.radixflow.backend.Tensor;

/**
 * A buffer on the device, row-major.
 *
 * @param isFloat fp32 (logits, norm weights, biases, tables); otherwise bf16 (activations)
 */
record CudaTensor(DevicePointer memory, int rows, int cols, boolean isFloat) implements Tensor {

    static CudaTensor of(Tensor tensor) {
        if (tensor instanceof CudaTensor cuda) {
            return cuda;
        }
        throw new IllegalArgumentException("a tensor of another backend");
    }

    int elementBytes() {
        return isFloat ? Float.BYTES : Short.BYTES;
    }

    /** Where a row begins. */
    DevicePointer row(int row) {
        return memory.plus((long) row * cols * elementBytes());
    }
}
