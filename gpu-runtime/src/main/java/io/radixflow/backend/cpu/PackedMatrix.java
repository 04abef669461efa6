package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.STRIP;

import io.radixflow.weights.Float16;
import io.radixflow.weights.TensorData;

/**
 * A weight matrix at about its file's width, laid out so that one vector load gives the same input feature of neighbouring rows.
 *
 * <p>Rows are cut into strips of {@link Lanes#STRIP}, input features into blocks of 32 (the last ones padded with zeros). A block of a
 * strip is a run of ints, {@code [words][STRIP]}: for block formats one word with the row's factors, then its 32 weights; where
 * eight blocks share factors, a word with those lies before them:
 * <pre>
 *        shared word             block's factors         weights                           w
 * Q4_0                           fp32 d                  4 nibble words                    u * d - 8 d
 * Q4_1                           fp16 d | m &lt;&lt; 16        4 nibble words                    u * d + m
 * Q5_0                           fp32 d                  4 nibble words, 1 of high bits    u * d - 16 d
 * Q5_1                           fp16 d | m &lt;&lt; 16        4 nibble words, 1 of high bits    u * d + m
 * Q8_0                           fp32 d                  8 words of four bytes q + 128     u * d - 128 d
 * Q4_K   fp16 d | dmin &lt;&lt; 16     s | m &lt;&lt; 16             4 nibble words                    u * (d s) - dmin m
 * Q5_K   fp16 d | dmin &lt;&lt; 16     s | m &lt;&lt; 16             4 nibble words, 1 of high bits    u * (d s) - dmin m
 * Q6_K   fp32 d                  s | s' &lt;&lt; 16            4 nibble words, 2 of high bits    u * (d s) - 32 (d s), s' from feature 16 on
 * F16, BF16                                              16 words of two halves
 * F32                                                    32 words
 * </pre>
 * Within a word the feature with the lowest index is in the lowest bits. With one high bit, that of nibble i of word w is bit
 * {@code 4 i + w} of the word of high bits; with two, they are bits {@code 4 i + 2 (w % 2)} and the next of word {@code w / 2}. Blocks of a
 * strip follow each other, so a product streams memory.
 *
 * <p>{@code w} is one fused multiply-add; factors are exact, and so is the product, so that {@code w} is rounded once where there is an m and
 * is exact otherwise. Types that have no format here are kept as F32, exactly.
 */
final class PackedMatrix {

    static final int BLOCK = 32;
    /** Blocks that share a header. */
    static final int HEADER_BLOCKS = 8;

    final PackedFormat format;
    final int rows;
    final int cols;
    final int numStrips;
    final int numBlocks;
    final int[] words;

    /** Ints of one block of one strip. */
    private final int blockInts;

    private final int stripInts;

    PackedMatrix(TensorData tensor) {
        format = PackedFormat.of(tensor.type());
        rows = tensor.rows();
        cols = tensor.cols();
        numStrips = (rows + STRIP - 1) / STRIP;
        numBlocks = (cols + BLOCK - 1) / BLOCK;
        blockInts = format.wordsPerBlock() * STRIP;
        stripInts = numBlocks * blockInts + (format.hasHeader() ? numBlocks / HEADER_BLOCKS * STRIP : 0);
        long ints = (long) numStrips * stripInts;
        if (ints > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("tensor " + tensor.name() + ": " + 4 * ints
                    + " bytes once packed, the CPU backend takes at most 8 GiB for one tensor");
        }
        words = new int[(int) ints];
        new WeightPacker(tensor, this).pack();
    }

    /** Index in {@link #words} of a block of a strip. */
    int blockAt(int strip, int block) {
        int headers = format.hasHeader() ? block / HEADER_BLOCKS + 1 : 0;
        return strip * stripInts + block * blockInts + headers * STRIP;
    }

    /** Index in {@link #words} of the word that a block shares with its neighbours. */
    int headerAt(int strip, int block) {
        int header = block / HEADER_BLOCKS;
        return strip * stripInts + header * (HEADER_BLOCKS * blockInts + STRIP);
    }

    /** Writes row {@code row} as floats to {@code into[at, at + cols)}. */
    void unpackRow(int row, float[] into, int at) {
        int lane = row % STRIP;
        for (int col = 0; col < cols; col++) {
            into[at + col] = weight(row / STRIP, lane, col);
        }
    }

    private float weight(int strip, int lane, int col) {
        int block = blockAt(strip, col / BLOCK) + lane;
        int feature = col % BLOCK;
        return switch (format) {
            case F32 -> Float.intBitsToFloat(words[block + feature * STRIP]);
            case BF16 -> Float.intBitsToFloat((words[block + feature / 2 * STRIP] >>> (16 * (feature % 2))) << 16);
            case F16 -> half(words[block + feature / 2 * STRIP], feature % 2);
            case Q4_0 -> (quant(block, feature) - 8) * Float.intBitsToFloat(words[block]);
            case Q5_0 -> (quant(block, feature) - 16) * Float.intBitsToFloat(words[block]);
            case Q8_0 -> (quant(block, feature) - 128) * Float.intBitsToFloat(words[block]);
            case Q4_1, Q5_1 -> Math.fma(quant(block, feature), half(words[block], 0), half(words[block], 1));
            case Q4_K, Q5_K -> {
                int header = words[headerAt(strip, col / BLOCK) + lane];
                float d = half(header, 0) * (words[block] & 0xFFFF);
                float m = half(header, 1) * (words[block] >>> 16);
                yield Math.fma(quant(block, feature), d, -m);
            }
            case Q6_K -> {
                float d = Float.intBitsToFloat(words[headerAt(strip, col / BLOCK) + lane]);
                yield (quant(block, feature) - 32) * (d * (short) (words[block] >> (16 * (feature / 16))));
            }
        };
    }

    private static float half(int pair, int index) {
        return Float16.toFloat((short) (pair >>> (16 * index)));
    }

    /** u of a feature of one row's block. */
    private int quant(int block, int feature) {
        int first = block + STRIP;
        if (format.isBytes()) {
            return (words[first + feature / 4 * STRIP] >>> (8 * (feature % 4))) & 0xFF;
        }
        int word = feature / 8;
        int at = 4 * (feature % 8);
        int nibble = (words[first + word * STRIP] >>> at) & 15;
        int bits = format.highBits();
        if (bits == 0) {
            return nibble;
        }
        int high = words[first + (4 + word * bits / 4) * STRIP] >>> (at + word * bits % 4);
        return nibble | ((high & ((1 << bits) - 1)) << 4);
    }
}
