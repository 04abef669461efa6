package io.radixflow.backend;

import io.radixflow.testkit.Work;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Planning a decode step of 256 rows over a tree of prefixes: 4 of 4,096 tokens, behind each 8 of 2,048, behind each of those 8 rows. */
@State(Scope.Thread)
public class SegmentPlannerBench {

    private static final int ROWS = 256;
    private static final int ROOT_LEN = 4096;
    private static final int DOCUMENT_LEN = 2048;
    private static final int TAIL_LEN = 128;
    private static final int ROOT_ROWS = 64;
    private static final int DOCUMENT_ROWS = 8;

    /** Rows that are new in each step. */
    @Param({"0", "1", "16", "256"})
    public int newRows = 0;

    private final int stride = ROOT_LEN + DOCUMENT_LEN + TAIL_LEN;
    private final ForwardBatch batch = new ForwardBatch(ROWS, ROWS, new int[ROWS * stride], stride);
    private final SegmentPlanner planner =
            new SegmentPlanner(ROWS, ROWS, new SegmentCosts(1, 1, Integer.MAX_VALUE, 1, 4, 20));
    private int nextRow;

    @Setup
    public void fillRows() {
        batch.numSequences = ROWS;
        for (int s = 0; s < ROWS; s++) {
            batch.row[s] = s;
            batch.cachedLen[s] = stride - 1;
            batch.extendLen[s] = 1;
            for (int i = 0; i < stride; i++) {
                int owner = i < ROOT_LEN
                        ? s / ROOT_ROWS
                        : i < ROOT_LEN + DOCUMENT_LEN ? ROWS + s / DOCUMENT_ROWS : 2 * ROWS + s;
                batch.slotTable[s * stride + i] = owner * stride + i;
            }
        }
    }

    @Benchmark
    public int plan(Work work) {
        for (int i = 0; i < newRows; i++) {
            batch.rowVersion[nextRow]++;
            nextRow = (nextRow + 37) % ROWS;
        }
        planner.plan(batch);
        work.add(0, 0);
        return batch.numSegments;
    }
}
