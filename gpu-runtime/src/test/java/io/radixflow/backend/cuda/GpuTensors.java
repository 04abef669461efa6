package io.radixflow.backend.cuda;

import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Numbers on the device for tests of kernels. */
final class GpuTensors {

    private GpuTensors() {}

    /** Numbers as activations, which backends themselves take from ops alone. */
    static CudaTensor activations(CudaBackend backend, float[] values, int rows, int cols) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putShort(WeightUploader.bf16(value));
        }
        CudaWeight uploaded =
                CudaWeight.of(backend.upload(List.of(new TensorData("x", TensorType.BF16, rows, cols, bytes.flip()))));
        return new CudaTensor(uploaded.memory(), rows, cols, false);
    }

    /** To bf16 and back. */
    static float[] rounded(float[] values) {
        float[] rounded = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            rounded[i] = Float.intBitsToFloat(WeightUploader.bf16(values[i]) << 16);
        }
        return rounded;
    }
}
