package io.radixflow.bench;

/**
 * An endless stream of 64-bit numbers that its name alone determines, so that every program in every language makes the same requests:
 * SplitMix64 [1] started from the FNV-1a hash of the name. Immutable.
 *
 * <p>[1] Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
 */
final class TokenStream {

    private static final long FNV_OFFSET = 0xCBF29CE484222325L;
    private static final long FNV_PRIME = 0x100000001B3L;
    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    private final long start;

    /** @param name ASCII */
    TokenStream(String name) {
        start = fnv1a(name);
    }

    static long fnv1a(String name) {
        long hash = FNV_OFFSET;
        for (int i = 0; i < name.length(); i++) {
            hash = fnv1aByte(hash, name.charAt(i));
        }
        return hash;
    }

    /** FNV-1a over the numbers, 4 bytes each, little endian, going on from {@code hash}. */
    static long fnv1a(long hash, int number) {
        long h = hash;
        for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
            h = fnv1aByte(h, number >>> shift & 0xff);
        }
        return h;
    }

    /** The hash of nothing, from which {@link #fnv1a(long, int)} goes on. */
    static long emptyHash() {
        return FNV_OFFSET;
    }

    private static long fnv1aByte(long hash, int b) {
        return (hash ^ b) * FNV_PRIME;
    }

    /** Number i, an unsigned value. */
    long at(int i) {
        long z = start + (i + 1L) * GAMMA;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }

    /** The first {@code num} numbers as token ids in {@code [low, high)}. */
    int[] tokens(int num, int low, int high) {
        int[] ids = new int[num];
        for (int i = 0; i < num; i++) {
            ids[i] = low + (int) Long.remainderUnsigned(at(i), high - low);
        }
        return ids;
    }

    /** The numbers 0 to num - 1 in the order that the stream shuffles them into (Fisher-Yates from the top). */
    int[] shuffled(int num) {
        int[] order = new int[num];
        for (int i = 0; i < num; i++) {
            order[i] = i;
        }
        for (int i = num - 1; i > 0; i--) {
            int j = (int) Long.remainderUnsigned(at(num - 1 - i), i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        return order;
    }
}
