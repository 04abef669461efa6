package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.STRIP;

import io.radixflow.weights.Float16;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorDecoder;
import io.radixflow.weights.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Fills a {@link PackedMatrix} from a file's bytes, row by row; the file's layouts are told in {@link TensorType}. */
final class WeightPacker {

    private static final int BLOCK = PackedMatrix.BLOCK;

    private final TensorData tensor;
    private final TensorType type;
    private final ByteBuffer data;
    private final PackedMatrix matrix;
    private final int[] words;
    private final int[] quants = new int[BLOCK];

    WeightPacker(TensorData tensor, PackedMatrix matrix) {
        this.tensor = tensor;
        this.matrix = matrix;
        type = tensor.type();
        data = tensor.data().duplicate().order(ByteOrder.LITTLE_ENDIAN);
        words = matrix.words;
    }

    void pack() {
        float[] decoded = new float[matrix.format == PackedFormat.F32 ? matrix.cols : 0];
        for (int row = 0; row < matrix.rows; row++) {
            switch (matrix.format) {
                case F32 -> packDecoded(row, decoded);
                case F16, BF16 -> packHalves(row);
                case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K -> packBlocks(row);
            }
        }
    }

    private void packDecoded(int row, float[] decoded) {
        TensorDecoder.decodeRow(tensor, row, decoded, 0);
        for (int col = 0; col < matrix.cols; col++) {
            words[blockLane(row, col / BLOCK) + col % BLOCK * STRIP] = Float.floatToRawIntBits(decoded[col]);
        }
    }

    private void packHalves(int row) {
        for (int col = 0; col < matrix.cols; col++) {
            int half = data.getShort(Math.toIntExact(2L * ((long) row * matrix.cols + col))) & 0xFFFF;
            if (type == TensorType.F16 && (half & 0x7C00) == 0x7C00) {
                throw new IllegalArgumentException(
                        "tensor " + tensor.name() + ": weight [" + row + ", " + col + "] is not a finite number");
            }
            words[blockLane(row, col / BLOCK) + col % BLOCK / 2 * STRIP] |= half << (16 * (col % 2));
        }
    }

    /** Index of a row's first word of a block. */
    private int blockLane(int row, int block) {
        return matrix.blockAt(row / STRIP, block) + row % STRIP;
    }

    private void packBlocks(int row) {
        int fileBlocks = matrix.cols / type.blockLen();
        int blocksPerFileBlock = type.blockLen() / BLOCK;
        for (int fileBlock = 0; fileBlock < fileBlocks; fileBlock++) {
            int from = Math.toIntExact(((long) row * fileBlocks + fileBlock) * type.blockBytes());
            for (int i = 0; i < blocksPerFileBlock; i++) {
                packBlock(from, i, row, fileBlock * blocksPerFileBlock + i);
            }
        }
    }

    /** @param group which 32 weights of the file's block */
    private void packBlock(int from, int group, int row, int block) {
        int to = blockLane(row, block);
        switch (matrix.format) {
            case Q4_0, Q5_0, Q8_0 -> words[to] = floatBits(from);
            case Q4_1, Q5_1 -> words[to] = data.getInt(from);
            case Q4_K, Q5_K -> {
                words[matrix.headerAt(row / STRIP, block) + row % STRIP] = data.getInt(from);
                words[to] = scaleAndMin(from + 4, group);
            }
            case Q6_K -> {
                words[matrix.headerAt(row / STRIP, block) + row % STRIP] = floatBits(from + 208);
                int scales = from + 192 + 2 * group;
                words[to] = (data.get(scales) & 0xFFFF) | (data.get(scales + 1) << 16);
            }
            case F32, F16, BF16 -> throw new IllegalStateException(matrix.format + " has no blocks");
        }
        if (matrix.format.isBytes()) {
            packBytes(from + 2, to + STRIP);
        } else {
            readQuants(from, group);
            packQuants(to + STRIP);
        }
    }

    private int floatBits(int at) {
        return Float.floatToRawIntBits(Float16.toFloat(data.getShort(at)));
    }

    /** The 6-bit factors of a group of Q4_K or Q5_K: the last four groups' highest two bits lie above the first four's bytes. */
    private int scaleAndMin(int at, int group) {
        if (group < 4) {
            return (data.get(at + group) & 63) | (data.get(at + 4 + group) & 63) << 16;
        }
        int low = data.get(at + 4 + group);
        int scale = (low & 15) | (data.get(at + group - 4) & 0xC0) >> 2;
        int min = (low >> 4 & 15) | (data.get(at + group) & 0xC0) >> 2;
        return scale | min << 16;
    }

    private void packBytes(int at, int to) {
        for (int word = 0; word < 8; word++) {
            // Flipping the highest bit of a two's complement byte adds 128 to it.
            words[to + word * STRIP] = data.getInt(at + 4 * word) ^ 0x80808080;
        }
    }

    /** Reads u of the group's 32 weights. */
    private void readQuants(int from, int group) {
        switch (type) {
            case Q4_0 -> readPairs(from + 2);
            case Q4_1 -> readPairs(from + 4);
            case Q5_0 -> {
                readPairs(from + 6);
                addFifthBits(data.getInt(from + 2));
            }
            case Q5_1 -> {
                readPairs(from + 8);
                addFifthBits(data.getInt(from + 4));
            }
            case Q4_K -> readHalves(from + 16 + group / 2 * BLOCK, group % 2);
            case Q5_K -> {
                readHalves(from + 48 + group / 2 * BLOCK, group % 2);
                addBits(from + 16, group, 1);
            }
            case Q6_K -> {
                readHalves(from + (group / 4 * 2 + group % 2) * BLOCK, group % 4 / 2);
                addBits(from + 128 + group / 4 * BLOCK, 2 * (group % 4), 3);
            }
            case F32, F16, BF16, Q8_0, Q2_K, Q3_K -> throw new IllegalStateException(type + " has no nibbles");
        }
    }

    /** Byte i holds weights i and i + 16. */
    private void readPairs(int from) {
        for (int i = 0; i < BLOCK / 2; i++) {
            int pair = data.get(from + i);
            quants[i] = pair & 15;
            quants[i + BLOCK / 2] = pair >> 4 & 15;
        }
    }

    private void addFifthBits(int bits) {
        for (int i = 0; i < BLOCK; i++) {
            quants[i] |= (bits >>> i & 1) << 4;
        }
    }

    /** Byte i holds weight i in one half. */
    private void readHalves(int from, int half) {
        for (int i = 0; i < BLOCK; i++) {
            quants[i] = data.get(from + i) >> (4 * half) & 15;
        }
    }

    private void addBits(int from, int shift, int mask) {
        for (int i = 0; i < BLOCK; i++) {
            quants[i] |= (data.get(from + i) >> shift & mask) << 4;
        }
    }

    private void packQuants(int to) {
        int bits = matrix.format.highBits();
        for (int i = 0; i < BLOCK; i++) {
            int word = i / 8;
            int at = 4 * (i % 8);
            words[to + word * STRIP] |= (quants[i] & 15) << at;
            if (bits > 0) {
                words[to + (4 + word * bits / 4) * STRIP] |= quants[i] >> 4 << (at + word * bits % 4);
            }
        }
    }
}
