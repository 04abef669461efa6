package io.radixflow.backend.cuda;

import java.nio.ByteOrder;
import java.nio.IntBuffer;
import jcuda.Pointer;

/**
 * Ints that a step brings to the device, or back. The host's side are two pinned buffers that steps use in turn, since the copy of the last
 * step's may be under way when the next one is written; the device's side is one, as the stream keeps order there.
 */
final class StagedInts {

    private final CudaDevice device;
    private final Pointer[] pinned = new Pointer[CudaSteps.MAX_IN_FLIGHT];
    private final IntBuffer[] ints = new IntBuffer[CudaSteps.MAX_IN_FLIGHT];
    private final DevicePointer memory;

    StagedInts(CudaDevice device, int capacity, String what) {
        this.device = device;
        long bytes = Integer.BYTES * (long) capacity;
        for (int turn = 0; turn < pinned.length; turn++) {
            pinned[turn] = device.allocatePinned(bytes, what);
            ints[turn] = pinned[turn]
                    .getByteBuffer(0, bytes)
                    .order(ByteOrder.nativeOrder())
                    .asIntBuffer();
        }
        memory = device.allocate(bytes, what);
    }

    /** The host's buffer of a turn, whose last step must have been waited for. */
    IntBuffer ints(int turn) {
        return ints[turn];
    }

    DevicePointer memory() {
        return memory;
    }

    DevicePointer at(int index) {
        return memory.plus(Integer.BYTES * (long) index);
    }

    /** Starts the copy of {@code [from, to)} to the device. */
    void upload(int turn, int from, int to) {
        if (to > from) {
            long offset = Integer.BYTES * (long) from;
            device.copyToDevice(
                    memory.plus(offset), pinned[turn].withByteOffset(offset), Integer.BYTES * (long) (to - from));
        }
    }

    /** Starts the copy of {@code [from, to)} back. */
    void download(int turn, int from, int to) {
        if (to > from) {
            long offset = Integer.BYTES * (long) from;
            device.copyToHost(
                    pinned[turn].withByteOffset(offset), memory.plus(offset), Integer.BYTES * (long) (to - from));
        }
    }
}
