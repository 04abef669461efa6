package io.radixflow.backend.cuda;

import jcuda.driver.CUfunction_attribute;
import jcuda.driver.JCudaDriver;

/**
 * A kernel and the place of its arguments, which are set one by one before a launch. Allocates nothing per launch.
 *
 * <p>One thread; a launch copies the arguments, so they may be set anew at once.
 */
final class Kernel {

    private static final int ALL_SHARED = 100;

    private final String name;
    private final DeviceFunction function;
    private final KernelLaunch launch;
    private final int numArguments;
    private int numSet;

    /** @param isProgrammatic whether it may start while the kernel before it runs, because it waits for it itself */
    Kernel(String name, DeviceFunction function, int numArguments, boolean isProgrammatic) {
        this.name = name;
        this.function = function;
        this.numArguments = numArguments;
        launch = new KernelLaunch(function.handle(), numArguments, isProgrammatic);
    }

    /** Allows launches with up to so much shared memory. */
    void allowSharedBytes(int bytes) {
        Cuda.check(
                JCudaDriver.cuFuncSetAttribute(
                        function, CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes),
                "cuFuncSetAttribute: " + name,
                bytes);
    }

    /**
     * Asks for as much shared memory on a multiprocessor as there is. Kernels that run side by side must want the same: it is divided anew only
     * when a multiprocessor is empty.
     */
    void preferSharedMemory() {
        Cuda.check(
                JCudaDriver.cuFuncSetAttribute(
                        function, CUfunction_attribute.CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, ALL_SHARED),
                "cuFuncSetAttribute: " + name);
    }

    /** Begins a new list of arguments. */
    Kernel with(DevicePointer first) {
        numSet = 0;
        return and(first);
    }

    Kernel with(TensorMap first) {
        numSet = 0;
        return and(first);
    }

    Kernel and(DevicePointer value) {
        return and(value.address());
    }

    Kernel and(long value) {
        launch.set(place(), value);
        return this;
    }

    Kernel and(int value) {
        launch.set(place(), value);
        return this;
    }

    Kernel and(float value) {
        launch.set(place(), value);
        return this;
    }

    Kernel and(TensorMap value) {
        launch.setPlace(place(), value.address());
        return this;
    }

    private int place() {
        if (numSet == numArguments) {
            throw new IllegalStateException("kernel " + name + " has " + numArguments + " arguments, not more");
        }
        return numSet++;
    }

    void launch(CudaStream stream, int gridX, int gridY, int gridZ, int threads, int sharedBytes) {
        if (numSet != numArguments) {
            throw new IllegalStateException("kernel " + name + " got " + numSet + " arguments, it has " + numArguments);
        }
        int status = launch.launch(stream, gridX, gridY, gridZ, threads, sharedBytes);
        if (status != 0) {
            Cuda.check(status, "cuLaunchKernelEx: " + name + " on a grid of " + gridX + " x " + gridY + " x " + gridZ);
        }
    }
}
