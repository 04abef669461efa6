package io.radixflow.weights;

/**
 * How a tensor's numbers are stored: plain floats, or GGML's blocks of small integers with fp16 factors.
 *
 * <p>Blocks of 32. Q8_0: fp16 d, 32 x int8: {@code w = d * q}. Q4_0: fp16 d, 16 bytes: {@code w = d * (q - 8)}. Q4_1: fp16 d, fp16 m,
 * 16 bytes: {@code w = d * q + m}. In the 4-bit blocks byte i holds weight i in its low and weight i + 16 in its high half. Q5_0 and Q5_1
 * put 32 bits before those bytes, the fifth bit of each weight: {@code w = d * (q - 16)} and {@code w = d * q + m}.
 *
 * <p>Blocks of 256, the "K" types, are cut into sub-blocks with factors of their own; {@link SuperBlocks} has their layouts.
 */
public enum TensorType {
    F32(0, 1, 4),
    F16(1, 1, 2),
    Q4_0(2, 32, 18),
    Q4_1(3, 32, 20),
    Q5_0(6, 32, 22),
    Q5_1(7, 32, 24),
    Q8_0(8, 32, 34),
    Q2_K(10, 256, 84),
    Q3_K(11, 256, 110),
    Q4_K(12, 256, 144),
    Q5_K(13, 256, 176),
    Q6_K(14, 256, 210),
    BF16(30, 1, 2);

    private final int ggmlId;
    private final int blockLen;
    private final int blockBytes;

    TensorType(int ggmlId, int blockLen, int blockBytes) {
        this.ggmlId = ggmlId;
        this.blockLen = blockLen;
        this.blockBytes = blockBytes;
    }

    /** The number that GGUF files use for this type. */
    public int ggmlId() {
        return ggmlId;
    }

    /** Weights in one block. */
    public int blockLen() {
        return blockLen;
    }

    public int blockBytes() {
        return blockBytes;
    }

    /** The types that can be read, for people. */
    static String names() {
        StringBuilder names = new StringBuilder();
        TensorType[] types = values();
        for (int i = 0; i < types.length; i++) {
            names.append(i == 0 ? "" : i == types.length - 1 ? " or " : ", ").append(types[i]);
        }
        return names.toString();
    }

    /** Bytes of {@code numElements} consecutive weights, which must be a multiple of {@link #blockLen()}. */
    public long bytes(long numElements) {
        return Math.multiplyExact(numElements / blockLen, (long) blockBytes);
    }
}
