package io.radixflow.job.pipeline;

import java.util.List;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeutils.base.array.LongPrimitiveArraySerializer;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.jspecify.annotations.Nullable;

/**
 * Counts that survive a restart. Each is an accumulator of its name, for what was counted since the job started or was restored,
 * and one with the suffix {@link #RESTORED} for what had been counted before.
 */
final class RunCounts {

    static final String RESTORED = "Restored";

    private static final long VERSION = 1;

    private final String[] names;
    private final long[] totals;
    private final LongCounter[] sinceStart;
    private @Nullable ListState<long[]> state;

    RunCounts(String... names) {
        this.names = names;
        totals = new long[names.length];
        sinceStart = new LongCounter[names.length];
    }

    /** Registers the accumulators and reads the state; to be called first. */
    void open(RuntimeContext runtime, FunctionInitializationContext context) throws Exception {
        ListState<long[]> opened = context.getOperatorStateStore()
                .getListState(new ListStateDescriptor<>("counts", LongPrimitiveArraySerializer.INSTANCE));
        state = opened;
        if (context.isRestored()) {
            for (long[] versionAndTotals : opened.get()) {
                for (int i = 0; i < Math.min(totals.length, versionAndTotals.length - 1); i++) {
                    totals[i] += versionAndTotals[1 + i];
                }
            }
        }
        for (int i = 0; i < names.length; i++) {
            sinceStart[i] = new LongCounter();
            runtime.addAccumulator(names[i], sinceStart[i]);
            runtime.addAccumulator(names[i] + RESTORED, new LongCounter(totals[i]));
        }
    }

    void add(int index, long amount) {
        totals[index] += amount;
        sinceStart[index].add(amount);
    }

    void snapshot() throws Exception {
        ListState<long[]> opened = state;
        if (opened == null) {
            throw new IllegalStateException("snapshot before open");
        }
        long[] versionAndTotals = new long[1 + totals.length];
        versionAndTotals[0] = VERSION;
        System.arraycopy(totals, 0, versionAndTotals, 1, totals.length);
        opened.update(List.of(versionAndTotals));
    }
}
