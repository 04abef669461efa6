package io.radixflow.backend.cuda;

import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;

/** Kernels that were built ahead, a module for each family: machine code for Hopper, and PTX that the driver compiles for other GPUs. */
final class Kernels implements AutoCloseable {

    private static final String HOPPER = "9.0";

    private final Map<String, CUmodule> modules = new HashMap<>();
    private final boolean isHopper;
    private final String suffix;

    /** @param capability of the GPU, such as {@code 9.0} */
    Kernels(String capability) {
        isHopper = capability.equals(HOPPER);
        suffix = isHopper ? ".cubin" : ".ptx";
    }

    /** What they are, for the start log. */
    String description() {
        return isHopper ? "kernels for sm_90a" : "kernels from compute_80 PTX, not tuned for this GPU";
    }

    /** Whether kernels may be taken that only Hopper has. */
    boolean isHopper() {
        return isHopper;
    }

    /** @param family name of the source file */
    Kernel kernel(String family, String name, int numArguments) {
        return kernel(family, name, numArguments, false);
    }

    /** A kernel that may start while the one before it in the stream runs, and waits for it itself: {@code launch.cuh}. */
    Kernel waitingKernel(String family, String name, int numArguments) {
        Kernel kernel = kernel(family, name, numArguments, isHopper);
        kernel.preferSharedMemory();
        return kernel;
    }

    private Kernel kernel(String family, String name, int numArguments, boolean isProgrammatic) {
        DeviceFunction function = new DeviceFunction();
        Cuda.check(
                JCudaDriver.cuModuleGetFunction(function, modules.computeIfAbsent(family, this::load), name),
                "cuModuleGetFunction: " + name + " of " + family);
        return new Kernel(name, function, numArguments, isProgrammatic);
    }

    private CUmodule load(String family) {
        byte[] image = read(family + suffix);
        CUmodule module = new CUmodule();
        // The driver reads PTX up to a zero byte, which cubins don't mind.
        Cuda.check(
                JCudaDriver.cuModuleLoadData(module, Arrays.copyOf(image, image.length + 1)),
                "cuModuleLoadData: " + family + suffix + "; the driver must be of CUDA 13 or newer");
        return module;
    }

    private static byte[] read(String name) {
        try (InputStream in = Kernels.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new EngineException(
                        Category.CONFIGURATION,
                        "this build has no CUDA kernels (" + name + "); run scripts/build-kernels.sh and build again");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new EngineException(Category.CONFIGURATION, "can't read " + name + " from the jar: " + e, e);
        }
    }

    @Override
    public void close() {
        modules.values().forEach(JCudaDriver::cuModuleUnload);
        modules.clear();
    }
}
