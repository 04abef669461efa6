package io.radixflow.operators;

import io.radixflow.schemas.DeadLetter;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.CheckpointConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wires the operators from input records to completions, deltas and dead letters.
 *
 * <pre>
 * records -> prepare-prompt -> prefix-grouping -> keyBy(routing key) -> llm-engine -> completions
 *                 |                                                         |-> deltas
 *                 +-> dead letters                                          +-> dead letters
 * </pre>
 *
 * <p>A bounded job may run in two stages instead, so that its whole input is in prefix order: {@link #order}, then {@link #answer}.
 *
 * <p>Checkpoints should be unaligned ({@code execution.checkpointing.unaligned.enabled}); aligned ones wait for every prompt in
 * the network buffers, which a full engine takes minutes to answer.
 */
public final class PromptPipeline {

    /** Name of the inference operator: the prefix of its metrics. */
    public static final String ENGINE_OPERATOR = "llm-engine";

    private static final String PREPARE_OPERATOR = "prepare-prompt";
    private static final String GROUPING_OPERATOR = "prefix-grouping";
    private static final String RANGES_OPERATOR = "ranges";

    private static final Logger LOG = LoggerFactory.getLogger(PromptPipeline.class);

    private PromptPipeline() {}

    /**
     * The first of two stages of a bounded job in prefix order, in BATCH mode: prepares the records and leaves them sorted in a folder,
     * beside the dead letters of this and what came before, for {@link #answer}.
     */
    public static void order(
            DataStream<SourceRecord> records,
            DataStream<DeadLetter> unreadable,
            EngineProvider engines,
            PipelineOptions options,
            Path folder) {
        SingleOutputStreamOperator<PreparedRequest> prepared = prepare(records, engines, options);
        DataStream<DeadLetter> deadLetters =
                prepared.getSideOutput(SideOutputs.DEAD_LETTERS).union(unreadable);
        WholeInputOrder.write(prepared, deadLetters, folder, options.parallelism());
    }

    /** The second: each subtask of a source of sorted ranges, of which there are as many as engines, feeds the engine of its number. */
    public static PipelineOutputs answer(
            DataStream<PreparedRequest> ranges, EngineProvider engines, PipelineOptions options) {
        warnOfAlignedCheckpoints(ranges);
        DataStream<RoutedRequest> routed = ranges.map(new ToReadersEngine(options.parallelism()))
                .returns(RecordTypes.ROUTED)
                .name(RANGES_OPERATOR)
                .uid(RANGES_OPERATOR)
                .setParallelism(ranges.getParallelism());
        SingleOutputStreamOperator<ResultRecord> completions = infer(routed, engines, options);
        return new PipelineOutputs(
                completions,
                completions.getSideOutput(SideOutputs.DELTAS),
                completions.getSideOutput(SideOutputs.DEAD_LETTERS));
    }

    /** Takes records of bounded or unbounded sources; up to the engines everything runs at the stream's own parallelism. */
    public static PipelineOutputs build(
            DataStream<SourceRecord> records, EngineProvider engines, PipelineOptions options) {
        warnOfAlignedCheckpoints(records);
        SingleOutputStreamOperator<PreparedRequest> prepared = prepare(records, engines, options);
        DataStream<RoutedRequest> routed = prepared.transform(
                        GROUPING_OPERATOR, RecordTypes.ROUTED, new PrefixGroupingFactory(options))
                .uid(GROUPING_OPERATOR)
                .setParallelism(records.getParallelism());
        SingleOutputStreamOperator<ResultRecord> completions = infer(routed, engines, options);
        DataStream<DeadLetter> deadLetters = prepared.getSideOutput(SideOutputs.DEAD_LETTERS)
                .union(completions.getSideOutput(SideOutputs.DEAD_LETTERS));
        return new PipelineOutputs(completions, completions.getSideOutput(SideOutputs.DELTAS), deadLetters);
    }

    private static void warnOfAlignedCheckpoints(DataStream<?> stream) {
        CheckpointConfig checkpoints = stream.getExecutionEnvironment().getCheckpointConfig();
        if (checkpoints.isCheckpointingEnabled() && !checkpoints.isUnalignedCheckpointsEnabled()) {
            LOG.warn("Checkpoints are aligned and will wait for all prompts in the network buffers;"
                    + " set execution.checkpointing.unaligned.enabled: true");
        }
    }

    private static SingleOutputStreamOperator<PreparedRequest> prepare(
            DataStream<SourceRecord> records, EngineProvider engines, PipelineOptions options) {
        return records.process(new PreparePrompt(engines, options), RecordTypes.PREPARED)
                .name(PREPARE_OPERATOR)
                .uid(PREPARE_OPERATOR)
                .setParallelism(records.getParallelism());
    }

    /** The keyBy edge is what unaligned checkpoints need. */
    private static SingleOutputStreamOperator<ResultRecord> infer(
            DataStream<RoutedRequest> routed, EngineProvider engines, PipelineOptions options) {
        return routed.keyBy(RoutedRequest::routingKey, Types.INT)
                .transform(ENGINE_OPERATOR, RecordTypes.RESULT, new InferenceOperatorFactory(engines, options))
                .uid(ENGINE_OPERATOR)
                .setParallelism(options.parallelism())
                .setMaxParallelism(EngineKeys.MAX_PARALLELISM);
    }
}
