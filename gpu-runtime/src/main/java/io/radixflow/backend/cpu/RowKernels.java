package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.EXACT;
import static io.radixflow.backend.cpu.Lanes.FLOATS;
import static io.radixflow.backend.cpu.Lanes.LANES;
import static io.radixflow.backend.cpu.Lanes.broadcast;

import io.radixflow.backend.Rope;
import jdk.incubator.vector.FloatVector;

/** Element-wise and row-wise kernels; each call handles one row. */
final class RowKernels {

    private RowKernels() {}

    /** {@code x += delta} for {@code len} numbers, each array from its own place on. */
    static void add(float[] x, int at, float[] delta, int deltaAt, int len) {
        int i = 0;
        for (; i <= len - LANES; i += LANES) {
            FloatVector.fromArray(FLOATS, x, at + i)
                    .add(FloatVector.fromArray(FLOATS, delta, deltaAt + i))
                    .intoArray(x, at + i);
        }
        for (; i < len; i++) {
            x[at + i] += delta[deltaAt + i];
        }
    }

    /** {@code 1 / sqrt(mean(x^2) + eps)}; lanes are summed in ascending order. {@code lanes} is scratch of {@link Lanes#LANES} numbers. */
    static float inverseRms(float[] x, int at, int len, float eps, float[] lanes) {
        FloatVector squares = FloatVector.zero(FLOATS);
        int i = 0;
        for (; i <= len - LANES; i += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, at + i);
            squares = v.fma(v, squares);
        }
        EXACT.cast(squares).intoArray(lanes, 0);
        double sum = 0;
        for (int lane = 0; lane < LANES; lane++) {
            sum += lanes[lane];
        }
        for (; i < len; i++) {
            sum += (double) x[at + i] * x[at + i];
        }
        return (float) (1 / Math.sqrt(sum / len + eps));
    }

    /** {@code out = x * factor * weight} */
    static void scale(float[] x, int at, int len, float factor, float[] weight, float[] out, int outAt) {
        FloatVector factors = broadcast(factor);
        int i = 0;
        for (; i <= len - LANES; i += LANES) {
            FloatVector.fromArray(FLOATS, x, at + i)
                    .mul(factors)
                    .mul(FloatVector.fromArray(FLOATS, weight, i))
                    .intoArray(out, outAt + i);
        }
        for (; i < len; i++) {
            out[outAt + i] = x[at + i] * factor * weight[i];
        }
    }

    /** {@code out = silu(gate) * up} with gate at {@code gateUp[at]} and up {@code len} behind it. */
    static void siluMul(float[] gateUp, int at, int len, float[] out, int outAt) {
        int i = 0;
        for (; i <= len - LANES; i += LANES) {
            FloatVector gate = FloatVector.fromArray(FLOATS, gateUp, at + i);
            FloatVector up = FloatVector.fromArray(FLOATS, gateUp, at + len + i);
            gate.div(Lanes.exp(gate.neg()).add(broadcast(1f))).mul(up).intoArray(out, outAt + i);
        }
        for (; i < len; i++) {
            float gate = gateUp[at + i];
            out[outAt + i] = gate / (Lanes.exp(-gate) + 1) * gateUp[at + len + i];
        }
    }

    /** Rotates one head of {@code 2 * half} numbers by the angles of a row of the tables. */
    static void rotate(float[] x, int at, Rope.Pairing pairing, float[] cos, float[] sin, int tableAt, int half) {
        if (pairing == Rope.Pairing.HALVES) {
            rotateHalves(x, at, cos, sin, tableAt, half);
        } else {
            rotateAdjacent(x, at, cos, sin, tableAt, half);
        }
    }

    private static void rotateHalves(float[] x, int at, float[] cos, float[] sin, int tableAt, int half) {
        for (int i = 0; i < half; i++) {
            float a = x[at + i];
            float b = x[at + half + i];
            x[at + i] = a * cos[tableAt + i] - b * sin[tableAt + i];
            x[at + half + i] = b * cos[tableAt + i] + a * sin[tableAt + i];
        }
    }

    private static void rotateAdjacent(float[] x, int at, float[] cos, float[] sin, int tableAt, int half) {
        for (int i = 0; i < half; i++) {
            float a = x[at + 2 * i];
            float b = x[at + 2 * i + 1];
            x[at + 2 * i] = a * cos[tableAt + i] - b * sin[tableAt + i];
            x[at + 2 * i + 1] = b * cos[tableAt + i] + a * sin[tableAt + i];
        }
    }
}
