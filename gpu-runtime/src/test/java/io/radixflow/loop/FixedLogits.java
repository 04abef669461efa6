package io.radixflow.loop;

import io.radixflow.backend.Backend;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.Tensor;
import io.radixflow.backend.cpu.CpuBackend;
import io.radixflow.model.Model;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.text.TokenBytes;

/** A model that gives the same logits whatever the tokens are, on a real backend: what is drawn depends on the request alone. */
final class FixedLogits implements Model {

    private static final double LOG_INTERVAL_SECONDS = 1e6;

    private final Backend backend;
    private final Tensor row;
    private final Tensor logits;
    private final int[] sameRow;

    private FixedLogits(Backend backend, float[] values, int maxLogitRows) {
        this.backend = backend;
        row = backend.upload(values, 1, values.length);
        logits = backend.allocate(maxLogitRows, values.length);
        sameRow = new int[maxLogitRows];
    }

    /** An engine of such a model; token i reads as the letter i, {@code eosIds} end an answer. */
    static EngineParts parts(float[] logits, int[] eosIds, SchedulerConfig scheduling) {
        CpuBackend backend = new CpuBackend(1, 1L << 28);
        FixedLogits model = new FixedLogits(backend, logits, scheduling.maxRunning());
        byte[][] bytes = new byte[logits.length][];
        for (int id = 0; id < bytes.length; id++) {
            bytes[id] = new byte[] {(byte) ('A' + id)};
        }
        return new EngineParts(
                backend,
                model,
                backend.allocateKvCache(model.kvLayout(scheduling.numSlots(), KvLayout.ElementType.FLOAT32)),
                new TokenBytes(bytes, new boolean[logits.length]),
                eosIds,
                scheduling,
                LOG_INTERVAL_SECONDS);
    }

    @Override
    public KvLayout kvLayout(int numSlots, KvLayout.ElementType type) {
        return new KvLayout(1, numSlots, 1, 1, 2, type);
    }

    @Override
    public int vocabSize() {
        return logits.cols();
    }

    @Override
    public int maxLogitRows() {
        return logits.rows();
    }

    @Override
    public void forward(ForwardBatch batch, KvCache cache) {
        // The logits depend on nothing.
    }

    @Override
    public Tensor logits(int firstRow, int rows) {
        backend.gatherRows(row, sameRow, rows, logits);
        return logits;
    }
}
