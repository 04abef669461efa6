package io.radixflow.backend.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;

/**
 * One kernel's launches through the driver's {@code cuLaunchKernelEx}, which JCuda doesn't have: its arguments as they lie in memory, and its
 * configuration. A programmatic launch may start while the kernel before it still runs, which kernels that call {@code wait_for_previous}
 * of {@code launch.cuh} can bear; captured, it becomes a programmatic edge.
 *
 * <p>One thread; a launch copies everything, so all of it may be set anew at once. Allocates nothing per launch. Numbers as in {@code cuda.h}.
 */
final class KernelLaunch {

    private static final int CONFIG_BYTES = 56;
    private static final int GRID = 0;
    private static final int BLOCK = 12;
    private static final int SHARED_BYTES = 24;
    private static final int STREAM = 32;
    private static final int ATTRIBUTES = 40;
    private static final int NUM_ATTRIBUTES = 48;

    private static final int ATTRIBUTE_BYTES = 72;
    private static final int ATTRIBUTE_VALUE = 8;
    /** {@code CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION}. */
    private static final int PROGRAMMATIC = 6;

    static {
        Driver.register(KernelLaunch.class);
    }

    private final Memory config = new Memory(CONFIG_BYTES);
    private final Memory attribute = new Memory(ATTRIBUTE_BYTES);
    private final Memory values;
    private final Memory places;
    private final long function;

    /**
     * @param function the kernel's handle
     * @param numArguments of eight bytes each at most, but for those whose place is set
     * @param isProgrammatic whether it waits itself for what it needs
     */
    KernelLaunch(long function, int numArguments, boolean isProgrammatic) {
        this.function = function;
        values = new Memory(Math.max(1, numArguments) * (long) Long.BYTES);
        places = new Memory(values.size());
        for (int i = 0; i < numArguments; i++) {
            places.setLong(i * (long) Long.BYTES, Pointer.nativeValue(values) + i * (long) Long.BYTES);
        }
        attribute.clear();
        attribute.setInt(0, PROGRAMMATIC);
        attribute.setInt(ATTRIBUTE_VALUE, 1);
        config.clear();
        config.setLong(ATTRIBUTES, Pointer.nativeValue(attribute));
        config.setInt(NUM_ATTRIBUTES, isProgrammatic ? 1 : 0);
    }

    /** Of an argument that is larger than eight bytes: where it lies, up to the launch. */
    void setPlace(int argument, long address) {
        places.setLong(argument * (long) Long.BYTES, address);
    }

    void set(int argument, long value) {
        values.setLong(argument * (long) Long.BYTES, value);
    }

    void set(int argument, int value) {
        values.setInt(argument * (long) Long.BYTES, value);
    }

    void set(int argument, float value) {
        values.setFloat(argument * (long) Long.BYTES, value);
    }

    /** Returns the driver's status. */
    int launch(CudaStream stream, int gridX, int gridY, int gridZ, int threads, int sharedBytes) {
        config.setInt(GRID, gridX);
        config.setInt(GRID + Integer.BYTES, gridY);
        config.setInt(GRID + 2 * Integer.BYTES, gridZ);
        config.setInt(BLOCK, threads);
        config.setInt(BLOCK + Integer.BYTES, 1);
        config.setInt(BLOCK + 2 * Integer.BYTES, 1);
        config.setInt(SHARED_BYTES, sharedBytes);
        config.setLong(STREAM, stream.handle());
        return cuLaunchKernelEx(Pointer.nativeValue(config), function, Pointer.nativeValue(places), 0);
    }

    private static native int cuLaunchKernelEx(long config, long function, long arguments, long extra);
}
