package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.EXACT;
import static io.radixflow.backend.cpu.Lanes.FLOATS;
import static io.radixflow.backend.cpu.Lanes.LANES;
import static io.radixflow.backend.cpu.Lanes.STRIP;
import static io.radixflow.backend.cpu.Lanes.broadcast;

import jdk.incubator.vector.FloatVector;

/**
 * Adds products of 1, 4 or 8 rows with an unpacked strip to their results. Eight rows and two vectors are 16 accumulators, as many chains
 * of dependent fused multiply-adds as two units of four cycles' latency need twice over; they fit 32 registers, four rows fit 16.
 *
 * <p>Row r starts at {@code x[xAt + r * xStride]}, its results at {@code out[outAt + r * outStride]}.
 */
final class StripProducts {

    private StripProducts() {}

    static void addOneRow(float[] x, int xAt, float[] strip, int len, float[] out, int outAt) {
        FloatVector a = FloatVector.fromArray(FLOATS, out, outAt);
        FloatVector b = FloatVector.fromArray(FLOATS, out, outAt + LANES);
        for (int k = 0; k < len; k++) {
            FloatVector xk = broadcast(x[xAt + k]);
            a = xk.fma(FloatVector.fromArray(FLOATS, strip, k * STRIP), a);
            b = xk.fma(FloatVector.fromArray(FLOATS, strip, k * STRIP + LANES), b);
        }
        EXACT.cast(a).intoArray(out, outAt);
        EXACT.cast(b).intoArray(out, outAt + LANES);
    }

    /** Up to four rows: those from {@code numRows} on repeat the last one, which gives the same numbers twice. */
    @SuppressWarnings("checkstyle:ParameterNumber") // two matrices and a strip
    static void addFourRows(
            float[] x,
            int xAt,
            int xStride,
            int numRows,
            float[] strip,
            int len,
            float[] out,
            int outAt,
            int outStride) {
        int second = Math.min(1, numRows - 1);
        int third = Math.min(2, numRows - 1);
        int fourth = Math.min(3, numRows - 1);
        int x1 = xAt + second * xStride;
        int x2 = xAt + third * xStride;
        int x3 = xAt + fourth * xStride;
        int out1 = outAt + second * outStride;
        int out2 = outAt + third * outStride;
        int out3 = outAt + fourth * outStride;
        FloatVector a0 = FloatVector.fromArray(FLOATS, out, outAt);
        FloatVector b0 = FloatVector.fromArray(FLOATS, out, outAt + LANES);
        FloatVector a1 = FloatVector.fromArray(FLOATS, out, out1);
        FloatVector b1 = FloatVector.fromArray(FLOATS, out, out1 + LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, out, out2);
        FloatVector b2 = FloatVector.fromArray(FLOATS, out, out2 + LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, out, out3);
        FloatVector b3 = FloatVector.fromArray(FLOATS, out, out3 + LANES);
        for (int k = 0; k < len; k++) {
            FloatVector wa = FloatVector.fromArray(FLOATS, strip, k * STRIP);
            FloatVector wb = FloatVector.fromArray(FLOATS, strip, k * STRIP + LANES);
            FloatVector xk = broadcast(x[xAt + k]);
            a0 = xk.fma(wa, a0);
            b0 = xk.fma(wb, b0);
            xk = broadcast(x[x1 + k]);
            a1 = xk.fma(wa, a1);
            b1 = xk.fma(wb, b1);
            xk = broadcast(x[x2 + k]);
            a2 = xk.fma(wa, a2);
            b2 = xk.fma(wb, b2);
            xk = broadcast(x[x3 + k]);
            a3 = xk.fma(wa, a3);
            b3 = xk.fma(wb, b3);
        }
        EXACT.cast(a0).intoArray(out, outAt);
        EXACT.cast(b0).intoArray(out, outAt + LANES);
        EXACT.cast(a1).intoArray(out, out1);
        EXACT.cast(b1).intoArray(out, out1 + LANES);
        EXACT.cast(a2).intoArray(out, out2);
        EXACT.cast(b2).intoArray(out, out2 + LANES);
        EXACT.cast(a3).intoArray(out, out3);
        EXACT.cast(b3).intoArray(out, out3 + LANES);
    }

    static void addEightRows(
            float[] x, int xAt, int xStride, float[] strip, int len, float[] out, int outAt, int outStride) {
        FloatVector a0 = FloatVector.fromArray(FLOATS, out, outAt);
        FloatVector b0 = FloatVector.fromArray(FLOATS, out, outAt + LANES);
        FloatVector a1 = FloatVector.fromArray(FLOATS, out, outAt + outStride);
        FloatVector b1 = FloatVector.fromArray(FLOATS, out, outAt + outStride + LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, out, outAt + 2 * outStride);
        FloatVector b2 = FloatVector.fromArray(FLOATS, out, outAt + 2 * outStride + LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, out, outAt + 3 * outStride);
        FloatVector b3 = FloatVector.fromArray(FLOATS, out, outAt + 3 * outStride + LANES);
        FloatVector a4 = FloatVector.fromArray(FLOATS, out, outAt + 4 * outStride);
        FloatVector b4 = FloatVector.fromArray(FLOATS, out, outAt + 4 * outStride + LANES);
        FloatVector a5 = FloatVector.fromArray(FLOATS, out, outAt + 5 * outStride);
        FloatVector b5 = FloatVector.fromArray(FLOATS, out, outAt + 5 * outStride + LANES);
        FloatVector a6 = FloatVector.fromArray(FLOATS, out, outAt + 6 * outStride);
        FloatVector b6 = FloatVector.fromArray(FLOATS, out, outAt + 6 * outStride + LANES);
        FloatVector a7 = FloatVector.fromArray(FLOATS, out, outAt + 7 * outStride);
        FloatVector b7 = FloatVector.fromArray(FLOATS, out, outAt + 7 * outStride + LANES);
        for (int k = 0; k < len; k++) {
            FloatVector wa = FloatVector.fromArray(FLOATS, strip, k * STRIP);
            FloatVector wb = FloatVector.fromArray(FLOATS, strip, k * STRIP + LANES);
            FloatVector xk = broadcast(x[xAt + k]);
            a0 = xk.fma(wa, a0);
            b0 = xk.fma(wb, b0);
            xk = broadcast(x[xAt + xStride + k]);
            a1 = xk.fma(wa, a1);
            b1 = xk.fma(wb, b1);
            xk = broadcast(x[xAt + 2 * xStride + k]);
            a2 = xk.fma(wa, a2);
            b2 = xk.fma(wb, b2);
            xk = broadcast(x[xAt + 3 * xStride + k]);
            a3 = xk.fma(wa, a3);
            b3 = xk.fma(wb, b3);
            xk = broadcast(x[xAt + 4 * xStride + k]);
            a4 = xk.fma(wa, a4);
            b4 = xk.fma(wb, b4);
            xk = broadcast(x[xAt + 5 * xStride + k]);
            a5 = xk.fma(wa, a5);
            b5 = xk.fma(wb, b5);
            xk = broadcast(x[xAt + 6 * xStride + k]);
            a6 = xk.fma(wa, a6);
            b6 = xk.fma(wb, b6);
            xk = broadcast(x[xAt + 7 * xStride + k]);
            a7 = xk.fma(wa, a7);
            b7 = xk.fma(wb, b7);
        }
        EXACT.cast(a0).intoArray(out, outAt);
        EXACT.cast(b0).intoArray(out, outAt + LANES);
        EXACT.cast(a1).intoArray(out, outAt + outStride);
        EXACT.cast(b1).intoArray(out, outAt + outStride + LANES);
        EXACT.cast(a2).intoArray(out, outAt + 2 * outStride);
        EXACT.cast(b2).intoArray(out, outAt + 2 * outStride + LANES);
        EXACT.cast(a3).intoArray(out, outAt + 3 * outStride);
        EXACT.cast(b3).intoArray(out, outAt + 3 * outStride + LANES);
        EXACT.cast(a4).intoArray(out, outAt + 4 * outStride);
        EXACT.cast(b4).intoArray(out, outAt + 4 * outStride + LANES);
        EXACT.cast(a5).intoArray(out, outAt + 5 * outStride);
        EXACT.cast(b5).intoArray(out, outAt + 5 * outStride + LANES);
        EXACT.cast(a6).intoArray(out, outAt + 6 * outStride);
        EXACT.cast(b6).intoArray(out, outAt + 6 * outStride + LANES);
        EXACT.cast(a7).intoArray(out, outAt + 7 * outStride);
        EXACT.cast(b7).intoArray(out, outAt + 7 * outStride + LANES);
    }
}
