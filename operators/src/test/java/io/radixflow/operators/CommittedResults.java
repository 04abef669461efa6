package io.radixflow.operators;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;

/** What an exactly-once sink would have committed: results count when the checkpoint after them has completed. Of one test at a time. */
final class CommittedResults
        implements MapFunction<ResultRecord, ResultRecord>, CheckpointedFunction, CheckpointListener {

    private static final long serialVersionUID = 1L;

    /** Over all jobs of the test. */
    static final Queue<ResultRecord> COMMITTED = new ConcurrentLinkedQueue<>();

    private transient List<ResultRecord> open = new ArrayList<>();
    private transient TreeMap<Long, List<ResultRecord>> prepared = new TreeMap<>();

    @Override
    public ResultRecord map(ResultRecord result) {
        open.add(result);
        return result;
    }

    @Override
    public void initializeState(FunctionInitializationContext context) {
        open = new ArrayList<>();
        prepared = new TreeMap<>();
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) {
        prepared.put(context.getCheckpointId(), open);
        open = new ArrayList<>();
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) {
        Map<Long, List<ResultRecord>> complete = prepared.headMap(checkpointId, true);
        complete.values().forEach(COMMITTED::addAll);
        complete.clear();
    }
}
