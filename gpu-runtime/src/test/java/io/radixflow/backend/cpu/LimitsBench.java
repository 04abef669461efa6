package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.FLOATS;
import static io.radixflow.backend.cpu.Lanes.INTS;
import static io.radixflow.backend.cpu.Lanes.LANES;
import static io.radixflow.backend.cpu.Lanes.broadcast;

import io.radixflow.testkit.Work;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What one core of this machine can do at most: fused multiply-adds on registers, and reading memory that no cache holds. */
@State(Scope.Thread)
public class LimitsBench {

    private static final int ROUNDS = 500;
    private static final int CHAINS = 8;
    /** Ints that one call of the inner loop reads. */
    private static final int PIECE = 1 << 14;

    private final float[] chains = new float[CHAINS * LANES];
    private final int[] sums = new int[4 * LANES];
    private final int[] memory = new int[1 << 26];

    @Benchmark
    public float[] multiplyAdd(Work work) {
        multiplyAdd(chains, 0.999f, 1e-3f);
        work.add(2.0 * CHAINS * ROUNDS * LANES, 0);
        return chains;
    }

    /** Eight independent chains: two units of four cycles' latency. */
    private static void multiplyAdd(float[] chains, float factor, float summand) {
        FloatVector b = broadcast(factor);
        FloatVector c = broadcast(summand);
        FloatVector a0 = FloatVector.fromArray(FLOATS, chains, 0);
        FloatVector a1 = FloatVector.fromArray(FLOATS, chains, LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, chains, 2 * LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, chains, 3 * LANES);
        FloatVector a4 = FloatVector.fromArray(FLOATS, chains, 4 * LANES);
        FloatVector a5 = FloatVector.fromArray(FLOATS, chains, 5 * LANES);
        FloatVector a6 = FloatVector.fromArray(FLOATS, chains, 6 * LANES);
        FloatVector a7 = FloatVector.fromArray(FLOATS, chains, 7 * LANES);
        for (int i = 0; i < ROUNDS; i++) {
            a0 = a0.fma(b, c);
            a1 = a1.fma(b, c);
            a2 = a2.fma(b, c);
            a3 = a3.fma(b, c);
            a4 = a4.fma(b, c);
            a5 = a5.fma(b, c);
            a6 = a6.fma(b, c);
            a7 = a7.fma(b, c);
        }
        a0.intoArray(chains, 0);
        a1.intoArray(chains, LANES);
        a2.intoArray(chains, 2 * LANES);
        a3.intoArray(chains, 3 * LANES);
        a4.intoArray(chains, 4 * LANES);
        a5.intoArray(chains, 5 * LANES);
        a6.intoArray(chains, 6 * LANES);
        a7.intoArray(chains, 7 * LANES);
    }

    @Benchmark
    public int[] read(Work work) {
        for (int from = 0; from < memory.length; from += PIECE) {
            add(memory, from, sums);
        }
        work.add(0, 4.0 * memory.length);
        return sums;
    }

    private static void add(int[] from, int at, int[] sums) {
        IntVector a = IntVector.fromArray(INTS, sums, 0);
        IntVector b = IntVector.fromArray(INTS, sums, LANES);
        IntVector c = IntVector.fromArray(INTS, sums, 2 * LANES);
        IntVector d = IntVector.fromArray(INTS, sums, 3 * LANES);
        for (int i = at; i < at + PIECE; i += 4 * LANES) {
            a = a.add(IntVector.fromArray(INTS, from, i));
            b = b.add(IntVector.fromArray(INTS, from, i + LANES));
            c = c.add(IntVector.fromArray(INTS, from, i + 2 * LANES));
            d = d.add(IntVector.fromArray(INTS, from, i + 3 * LANES));
        }
        a.intoArray(sums, 0);
        b.intoArray(sums, LANES);
        c.intoArray(sums, 2 * LANES);
        d.intoArray(sums, 3 * LANES);
    }
}
