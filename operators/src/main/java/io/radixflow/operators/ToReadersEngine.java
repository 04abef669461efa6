package io.radixflow.operators;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.jspecify.annotations.Nullable;

/** Sends what a reader of sorted ranges reads to the engine of its own number, so that a range stays together. */
final class ToReadersEngine extends RichMapFunction<PreparedRequest, RoutedRequest> {

    private static final long serialVersionUID = 1L;

    private final int numEngines;
    private int key;
    private transient @Nullable PreparedRequest before;

    ToReadersEngine(int numEngines) {
        this.numEngines = numEngines;
    }

    @Override
    public void open(OpenContext context) {
        int[] keys = EngineKeys.forParallelism(numEngines);
        key = keys[getRuntimeContext().getTaskInfo().getIndexOfThisSubtask() % numEngines];
    }

    @Override
    public RoutedRequest map(PreparedRequest request) {
        int newTokens = request.promptIds().length - WholeInputOrder.sharedLen(before, request);
        before = request;
        return new RoutedRequest(request.withRoutingKey(key), 0, newTokens);
    }
}
