package io.radixflow.backend.cpu;

import io.radixflow.weights.TensorType;

/**
 * How the CPU backend keeps weights of a file's type: which words a block of 32 input features has, see {@link PackedMatrix}.
 *
 * <p>Block formats are {@code w = u * d + m} with a small unsigned u: four bits in nibble words, up to two more in words behind them, or a
 * byte.
 */
enum PackedFormat {
    F32(0, 32, 0, false),
    F16(0, 16, 0, false),
    BF16(0, 16, 0, false),
    Q4_0(1, 4, 0, false),
    Q4_1(1, 4, 0, false),
    Q5_0(1, 4, 1, false),
    Q5_1(1, 4, 1, false),
    Q8_0(1, 8, 0, false),
    Q4_K(1, 4, 0, true),
    Q5_K(1, 4, 1, true),
    Q6_K(1, 4, 2, true);

    private final int factorWords;
    /** Words of whole weights, or of their low four bits. */
    private final int lowWords;

    private final int highBits;
    private final boolean hasHeader;

    PackedFormat(int factorWords, int lowWords, int highBits, boolean hasHeader) {
        this.factorWords = factorWords;
        this.lowWords = lowWords;
        this.highBits = highBits;
        this.hasHeader = hasHeader;
    }

    /** The format that keeps a type exactly: its own, or F32 for rare types that have none here. */
    static PackedFormat of(TensorType type) {
        return switch (type) {
            case F32, Q2_K, Q3_K -> F32;
            case F16 -> F16;
            case BF16 -> BF16;
            case Q4_0 -> Q4_0;
            case Q4_1 -> Q4_1;
            case Q5_0 -> Q5_0;
            case Q5_1 -> Q5_1;
            case Q8_0 -> Q8_0;
            case Q4_K -> Q4_K;
            case Q5_K -> Q5_K;
            case Q6_K -> Q6_K;
        };
    }

    int wordsPerBlock() {
        return factorWords + lowWords + highBits;
    }

    /** Whether a block starts with a word of factors. */
    boolean hasFactors() {
        return factorWords > 0;
    }

    /** Whether eight blocks share a word of factors before them. */
    boolean hasHeader() {
        return hasHeader;
    }

    /** Bits of a weight beyond the four in its nibble, and words that hold them. */
    int highBits() {
        return highBits;
    }

    boolean isBytes() {
        return this == Q8_0;
    }

    /** Input features that share factors. */
    int factorLen() {
        return this == Q6_K ? 16 : PackedMatrix.BLOCK;
    }
}
