package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.STRIP;

import io.radixflow.weights.Float16;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorDecoder;
import io.radixflow.weights.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A weight matrix at its file's width, laid out so that one vector load gives the same input feature of neighbouring rows.
 *
 * <p>Rows are cut into strips of {@link Lanes#STRIP}, input features into blocks of 32 (the last ones padded with zeros). A block of a
 * strip is a run of ints, {@code [words][STRIP]}: first, for block formats, one word with the row's factors, then its 32 weights:
 * <pre>
 * Q4_1        factors fp16 d | fp16 m &lt;&lt; 16   4 words of eight 4-bit numbers u    w = u * d + m
 * Q4_0        factors fp32 d                  4 words of eight 4-bit numbers u    w = u * d - 8 d
 * Q8_0        factors fp32 d                  8 words of four bytes u = q + 128   w = u * d - 128 d
 * F16, BF16                                  16 words of two halves
 * F32                                        32 words
 * </pre>
 * Q5_0, Q5_1 and the types with blocks of 256 have no layout of their own here: they are decoded and kept as F32, exactly, at up to ten
 * times their file's width.
 * Within a word the feature with the lowest index is in the lowest bits. Blocks of a strip follow each other, so a product streams memory.
 *
 * <p>{@code w} is one fused multiply-add and exact for Q4_0 and Q8_0 (at most 19 bits), rounded once for Q4_1.
 */
final class PackedMatrix {

    static final int BLOCK = 32;

    /** As packed, which is F32 for what has no layout of its own. */
    final TensorType type;

    final int rows;
    final int cols;
    final int numStrips;
    final int numBlocks;
    /** Ints of one block of one strip. */
    final int blockInts;

    final int[] words;

    PackedMatrix(TensorData tensor) {
        type = packedType(tensor.type());
        rows = tensor.rows();
        cols = tensor.cols();
        numStrips = (rows + STRIP - 1) / STRIP;
        numBlocks = (cols + BLOCK - 1) / BLOCK;
        blockInts = wordsPerBlock(type) * STRIP;
        long ints = (long) numStrips * numBlocks * blockInts;
        if (ints > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("tensor " + tensor.name() + ": " + 4 * ints
                    + " bytes once packed, the CPU backend takes at most 8 GiB for one tensor");
        }
        words = new int[(int) ints];
        ByteBuffer data = tensor.data().duplicate().order(ByteOrder.LITTLE_ENDIAN);
        float[] decoded = type == tensor.type() ? new float[0] : new float[cols];
        for (int row = 0; row < rows; row++) {
            if (type != tensor.type()) {
                packDecoded(tensor, row, decoded);
            } else if (type.blockLen() == 1) {
                packPlain(tensor, data, row);
            } else {
                packBlocks(data, row);
            }
        }
    }

    private static TensorType packedType(TensorType type) {
        return switch (type) {
            case F32, F16, BF16, Q4_0, Q4_1, Q8_0 -> type;
            case Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> TensorType.F32;
        };
    }

    private static int wordsPerBlock(TensorType type) {
        return switch (type) {
            case F32 -> 32;
            case F16, BF16 -> 16;
            case Q4_0, Q4_1 -> 5;
            case Q8_0 -> 9;
            case Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> throw noLayout(type);
        };
    }

    /** Whether the block starts with a word of factors. */
    boolean hasFactors() {
        return type.blockLen() == BLOCK;
    }

    /** Index in {@link #words} of a block of a strip. */
    int blockAt(int strip, int block) {
        return (strip * numBlocks + block) * blockInts;
    }

    private void packPlain(TensorData tensor, ByteBuffer data, int row) {
        int featuresPerWord = 4 / type.blockBytes();
        int lane = row % STRIP;
        for (int col = 0; col < cols; col++) {
            int at = Math.toIntExact(((long) row * cols + col) * type.blockBytes());
            int inBlock = col % BLOCK;
            int to = blockAt(row / STRIP, col / BLOCK) + inBlock / featuresPerWord * STRIP + lane;
            if (type == TensorType.F32) {
                words[to] = data.getInt(at);
            } else {
                int half = data.getShort(at) & 0xFFFF;
                if (type == TensorType.F16 && (half & 0x7C00) == 0x7C00) {
                    throw new IllegalArgumentException(
                            "tensor " + tensor.name() + ": weight [" + row + ", " + col + "] is not a finite number");
                }
                words[to] |= half << (16 * (inBlock % featuresPerWord));
            }
        }
    }

    private void packDecoded(TensorData tensor, int row, float[] decoded) {
        TensorDecoder.decodeRow(tensor, row, decoded, 0);
        int lane = row % STRIP;
        for (int col = 0; col < cols; col++) {
            int to = blockAt(row / STRIP, col / BLOCK) + col % BLOCK * STRIP + lane;
            words[to] = Float.floatToRawIntBits(decoded[col]);
        }
    }

    static IllegalStateException noLayout(TensorType type) {
        return new IllegalStateException(type + " is packed as F32");
    }

    private void packBlocks(ByteBuffer data, int row) {
        int lane = row % STRIP;
        for (int block = 0; block < numBlocks; block++) {
            int at = Math.toIntExact(((long) row * numBlocks + block) * type.blockBytes());
            int to = blockAt(row / STRIP, block) + lane;
            switch (type) {
                case Q4_1 -> {
                    words[to] = data.getInt(at);
                    packNibbles(data, at + 4, to + STRIP);
                }
                case Q4_0 -> {
                    words[to] = Float.floatToRawIntBits(Float16.toFloat(data.getShort(at)));
                    packNibbles(data, at + 2, to + STRIP);
                }
                case Q8_0 -> {
                    words[to] = Float.floatToRawIntBits(Float16.toFloat(data.getShort(at)));
                    packBytes(data, at + 2, to + STRIP);
                }
                case F32, F16, BF16 -> throw new IllegalStateException(type + " has no blocks");
                case Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> throw noLayout(type);
            }
        }
    }

    /** Byte i of a file's block holds features i and i + 16; a word of ours holds eight neighbours. */
    private void packNibbles(ByteBuffer data, int at, int to) {
        for (int word = 0; word < 4; word++) {
            int packed = 0;
            for (int i = 0; i < 8; i++) {
                int feature = 8 * word + i;
                int pair = data.get(at + feature % 16) & 0xFF;
                packed |= (feature < 16 ? pair & 15 : pair >> 4) << (4 * i);
            }
            words[to + word * STRIP] = packed;
        }
    }

    private void packBytes(ByteBuffer data, int at, int to) {
        for (int word = 0; word < 8; word++) {
            // Flipping the highest bit of a two's complement byte adds 128 to it.
            words[to + word * STRIP] = data.getInt(at + 4 * word) ^ 0x80808080;
        }
    }

    /** Writes row {@code row} as floats to {@code into[at, at + cols)}. */
    void unpackRow(int row, float[] into, int at) {
        int lane = row % STRIP;
        for (int col = 0; col < cols; col++) {
            into[at + col] = weight(blockAt(row / STRIP, col / BLOCK) + lane, col % BLOCK);
        }
    }

    private float weight(int blockLane, int feature) {
        int first = words[blockLane];
        int firstWeight = blockLane + STRIP;
        return switch (type) {
            case F32 -> Float.intBitsToFloat(words[blockLane + feature * STRIP]);
            case BF16 -> Float.intBitsToFloat((words[blockLane + feature / 2 * STRIP] >>> (16 * (feature % 2))) << 16);
            case F16 -> Float16.toFloat((short) (words[blockLane + feature / 2 * STRIP] >>> (16 * (feature % 2))));
            case Q4_1 ->
                Math.fma(nibble(firstWeight, feature), Float16.toFloat((short) first), Float16.toFloat((short)
                        (first >>> 16)));
            case Q4_0 -> (nibble(firstWeight, feature) - 8) * Float.intBitsToFloat(first);
            case Q8_0 ->
                (((words[firstWeight + feature / 4 * STRIP] >>> (8 * (feature % 4))) & 0xFF) - 128)
                        * Float.intBitsToFloat(first);
            case Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> throw noLayout(type);
        };
    }

    private int nibble(int firstWeight, int feature) {
        return (words[firstWeight + feature / 8 * STRIP] >>> (4 * (feature % 8))) & 15;
    }
}
