package io.radixflow.weights;

import java.util.stream.IntStream;

/**
 * Work on a long array, cut in pieces for all cores: one thread fills memory at some 5 GB/s, a fifth of what a GPU's bus takes. On the JVM's common
 * pool, so it leaves no thread behind.
 */
public final class Pieces {

    private Pieces() {}

    /** What to do with elements {@code [from, end)}; pieces don't overlap. */
    public interface Work {
        void run(int from, int end);
    }

    /** Runs {@code work} on all pieces of {@code [0, num)}, {@code pieceLen} elements each but for the last, and waits. */
    public static void inParallel(int num, int pieceLen, Work work) {
        int numPieces = (int) (((long) num + pieceLen - 1) / pieceLen);
        IntStream.range(0, numPieces).parallel().forEach(piece -> {
            int from = piece * pieceLen;
            work.run(from, (int) Math.min(num, (long) from + pieceLen));
        });
    }
}
