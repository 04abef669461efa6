package io.radixflow.sample;

/**
 * Philox4x32-10, a counter-based generator [1]: random words are a pure function of a key and a counter, so a draw needs no state and
 * depends on nothing but the sequence's seed and position.
 *
 * <p>Key words are the low and the high half of the seed; the first counter word is the position, the others are 0. Backends that draw
 * on a device must use the same layout. Allocates nothing. Thread-safe.
 *
 * <p>[1] Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.
 */
public final class Philox4x32 {

    private static final int ROUNDS = 10;
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;
    private static final long WORD = 0xFFFFFFFFL;

    private Philox4x32() {}

    /** Replaces the four counter words in {@code block} by their four random words under {@code key}, whose low half is the first word. */
    public static void scramble(long key, int[] block) {
        int key0 = (int) key;
        int key1 = (int) (key >>> 32);
        int c0 = block[0];
        int c1 = block[1];
        int c2 = block[2];
        int c3 = block[3];
        for (int round = 0; round < ROUNDS; round++) {
            long product0 = MULTIPLIER_0 * (c0 & WORD);
            long product1 = MULTIPLIER_1 * (c2 & WORD);
            c0 = (int) (product1 >>> 32) ^ c1 ^ key0;
            c1 = (int) product1;
            c2 = (int) (product0 >>> 32) ^ c3 ^ key1;
            c3 = (int) product0;
            key0 += WEYL_0;
            key1 += WEYL_1;
        }
        block[0] = c0;
        block[1] = c1;
        block[2] = c2;
        block[3] = c3;
    }

    /** The uniform number in [0, 1) of a seed and position: the upper 53 of the first two random words. {@code block} is scratch, [4]. */
    public static double uniform(long seed, int position, int[] block) {
        block[0] = position;
        block[1] = 0;
        block[2] = 0;
        block[3] = 0;
        scramble(seed, block);
        long bits = ((block[0] & WORD) << 21) | (block[1] >>> 11);
        return bits * 0x1p-53;
    }
}
