package io.radixflow.backend.cuda;

import io.radixflow.weights.Pieces;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorDecoder;
import io.radixflow.weights.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import jcuda.Pointer;

/**
 * Brings weights to the device, vectors and tables as fp32, matrices as bf16: files that have bf16 byte by byte, others row by row through fp32. Goes through two pinned buffers in
 * turn, so that one fills while the other is copied.
 */
final class WeightUploader {

    private static final int BUFFER_BYTES = 32 << 20;
    private static final int NUM_BUFFERS = 2;
    /** Of a buffer, that one thread fills. */
    private static final int PIECE_BYTES = 2 << 20;

    private final CudaDevice device;
    private final Pointer[] pinned = new Pointer[NUM_BUFFERS];
    private final ByteBuffer[] bytes = new ByteBuffer[NUM_BUFFERS];
    private int turn;

    WeightUploader(CudaDevice device) {
        this.device = device;
        for (int i = 0; i < NUM_BUFFERS; i++) {
            pinned[i] = device.allocatePinned(BUFFER_BYTES, "staging for weights");
            bytes[i] = pinned[i].getByteBuffer(0, BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    /** Copies a matrix to {@code to} and returns the bytes written. */
    long upload(TensorData tensor, DevicePointer to) {
        if (tensor.type() == TensorType.BF16) {
            return copy(tensor.data(), to);
        }
        long rowBytes = 2L * tensor.cols();
        if (rowBytes > BUFFER_BYTES) {
            throw new IllegalArgumentException("tensor " + tensor.name() + ": rows of " + tensor.cols() + " numbers");
        }
        int rowsAtOnce = (int) (BUFFER_BYTES / rowBytes);
        for (int first = 0; first < tensor.rows(); first += rowsAtOnce) {
            int rows = Math.min(rowsAtOnce, tensor.rows() - first);
            ByteBuffer buffer = next();
            int firstRow = first;
            Pieces.inParallel(
                    rows,
                    (int) (PIECE_BYTES / rowBytes) + 1,
                    (from, end) -> decode(tensor, firstRow, from, end, buffer));
            send(to.plus(first * rowBytes), rows * rowBytes);
        }
        return tensor.rows() * rowBytes;
    }

    /** Rows {@code [first + from, first + end)} as bf16 to rows {@code [from, end)} of the buffer. */
    private static void decode(TensorData tensor, int first, int from, int end, ByteBuffer to) {
        ShortBuffer halves = to.duplicate().order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
        halves.position(from * tensor.cols());
        float[] row = new float[tensor.cols()];
        for (int r = from; r < end; r++) {
            TensorDecoder.decodeRow(tensor, first + r, row, 0);
            for (float value : row) {
                halves.put(bf16(value));
            }
        }
    }

    /** Copies numbers as fp32. */
    void upload(float[] values, DevicePointer to) {
        int numAtOnce = BUFFER_BYTES / Float.BYTES;
        for (int first = 0; first < values.length; first += numAtOnce) {
            int num = Math.min(numAtOnce, values.length - first);
            next().asFloatBuffer().put(values, first, num);
            send(to.plus(Float.BYTES * (long) first), Float.BYTES * (long) num);
        }
    }

    private long copy(ByteBuffer data, DevicePointer to) {
        ByteBuffer from = data.duplicate();
        long sent = 0;
        while (from.hasRemaining()) {
            int length = Math.min(BUFFER_BYTES, from.remaining());
            ByteBuffer piece = from.slice();
            ByteBuffer buffer = next();
            Pieces.inParallel(length, PIECE_BYTES, (begin, end) -> buffer.put(begin, piece, begin, end - begin));
            from.position(from.position() + length);
            send(to.plus(sent), length);
            sent += length;
        }
        return sent;
    }

    /** The buffer that isn't on its way. */
    private ByteBuffer next() {
        turn = (turn + 1) % NUM_BUFFERS;
        return bytes[turn].clear();
    }

    /** At most one copy is under way when this returns: that of the buffer just filled. */
    private void send(DevicePointer to, long length) {
        device.synchronize();
        device.copyToDevice(to, pinned[turn], length);
    }

    /** Rounded to nearest, ties to even; NaN stays NaN. */
    static short bf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16);
    }
}
