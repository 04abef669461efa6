package io.radixflow.backend.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * A kernel and the place of its arguments, which are set one by one before a launch. Allocates nothing per launch.
 *
 * <p>One thread; a launch copies the arguments, so they may be set anew at once.
 */
final class Kernel {

    private static final int ARGUMENT_BYTES = 8;

    private final String name;
    private final CUfunction function;
    private final ByteBuffer values;
    private final Pointer arguments;
    private int numSet;

    Kernel(String name, CUfunction function, int numArguments) {
        this.name = name;
        this.function = function;
        values = ByteBuffer.allocateDirect(numArguments * ARGUMENT_BYTES).order(ByteOrder.nativeOrder());
        Pointer base = Pointer.to(values);
        Pointer[] places = new Pointer[numArguments];
        for (int i = 0; i < numArguments; i++) {
            places[i] = base.withByteOffset((long) i * ARGUMENT_BYTES);
        }
        arguments = Pointer.to(places);
    }

    /** Allows launches with up to so much shared memory. */
    void allowSharedBytes(int bytes) {
        Cuda.check(
                JCudaDriver.cuFuncSetAttribute(
                        function, CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes),
                "cuFuncSetAttribute: " + name,
                bytes);
    }

    /** Begins a new list of arguments. */
    Kernel with(DevicePointer first) {
        numSet = 0;
        return and(first);
    }

    Kernel and(DevicePointer value) {
        return and(value.address());
    }

    Kernel and(long value) {
        values.putLong(numSet++ * ARGUMENT_BYTES, value);
        return this;
    }

    Kernel and(int value) {
        values.putInt(numSet++ * ARGUMENT_BYTES, value);
        return this;
    }

    Kernel and(float value) {
        values.putFloat(numSet++ * ARGUMENT_BYTES, value);
        return this;
    }

    void launch(CUstream stream, int gridX, int gridY, int gridZ, int threads, int sharedBytes) {
        if (numSet * ARGUMENT_BYTES != values.capacity()) {
            throw new IllegalStateException(
                    "kernel " + name + " got " + numSet + " arguments, it has " + values.capacity() / ARGUMENT_BYTES);
        }
        int status = JCudaDriver.cuLaunchKernel(
                function, gridX, gridY, gridZ, threads, 1, 1, sharedBytes, stream, arguments, null);
        if (status != 0) {
            Cuda.check(status, "cuLaunchKernel: " + name + " on a grid of " + gridX + " x " + gridY + " x " + gridZ);
        }
    }
}
