package io.radixflow.backend.cuda;

import java.nio.ByteOrder;
import java.nio.IntBuffer;
import jcuda.Pointer;

/** Copies pieces of host arrays to the device through pinned buffers, which steps use in turn. */
final class StagedRows {

    private final CudaDevice device;
    private final int capacity;
    private final Pointer[] pinned = new Pointer[CudaSteps.MAX_IN_FLIGHT];
    private final IntBuffer[] ints = new IntBuffer[CudaSteps.MAX_IN_FLIGHT];
    private int turn;
    private int numStaged;

    StagedRows(CudaDevice device, int capacity) {
        this.device = device;
        this.capacity = capacity;
        long bytes = Integer.BYTES * (long) capacity;
        for (int i = 0; i < pinned.length; i++) {
            pinned[i] = device.allocatePinned(bytes, "rows of tables");
            ints[i] = pinned[i]
                    .getByteBuffer(0, bytes)
                    .order(ByteOrder.nativeOrder())
                    .asIntBuffer();
        }
    }

    /** Begins a step; the last one of the turn has been waited for. */
    void begin(int ofTurn) {
        turn = ofTurn;
        numStaged = 0;
    }

    /** Starts the copy of {@code numbers[from, from + len)}; waits for the device if the buffer is full. */
    void copy(int[] numbers, int from, int len, DevicePointer to) {
        int done = 0;
        while (done < len) {
            if (numStaged == capacity) {
                device.synchronize();
                numStaged = 0;
            }
            int num = Math.min(len - done, capacity - numStaged);
            ints[turn].put(numStaged, numbers, from + done, num);
            device.copyToDevice(
                    to.plus(Integer.BYTES * (long) done),
                    pinned[turn].withByteOffset(Integer.BYTES * (long) numStaged),
                    Integer.BYTES * (long) num);
            numStaged += num;
            done += num;
        }
    }
}
