package io.radixflow.operators;

import io.radixflow.schemas.DeadLetter;
import org.apache.flink.api.common.typeinfo.Types;
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
 * <p>Checkpoints should be unaligned ({@code execution.checkpointing.unaligned.enabled}); aligned ones wait for every prompt in
 * the network buffers, which a full engine takes minutes to answer.
 */
public final class PromptPipeline {

    /** Name of the inference operator: the prefix of its metrics. */
    public static final String ENGINE_OPERATOR = "llm-engine";

    private static final String PREPARE_OPERATOR = "prepare-prompt";
    private static final String GROUPING_OPERATOR = "prefix-grouping";

    private static final Logger LOG = LoggerFactory.getLogger(PromptPipeline.class);

    private PromptPipeline() {}

    /** Takes records of bounded or unbounded sources; up to the engines everything runs at the stream's own parallelism. */
    public static PipelineOutputs build(
            DataStream<SourceRecord> records, EngineProvider engines, PipelineOptions options) {
        CheckpointConfig checkpoints = records.getExecutionEnvironment().getCheckpointConfig();
        if (checkpoints.isCheckpointingEnabled() && !checkpoints.isUnalignedCheckpointsEnabled()) {
            LOG.warn("Checkpoints are aligned and will wait for all prompts in the network buffers;"
                    + " set execution.checkpointing.unaligned.enabled: true");
        }
        SingleOutputStreamOperator<PreparedRequest> prepared = records.process(
                        new PreparePrompt(engines, options), RecordTypes.PREPARED)
                .name(PREPARE_OPERATOR)
                .uid(PREPARE_OPERATOR)
                .setParallelism(records.getParallelism());
        SingleOutputStreamOperator<ResultRecord> completions = prepared.transform(
                        GROUPING_OPERATOR, RecordTypes.ROUTED, new PrefixGroupingFactory(options))
                .uid(GROUPING_OPERATOR)
                .setParallelism(records.getParallelism())
                .keyBy(RoutedRequest::routingKey, Types.INT)
                .transform(ENGINE_OPERATOR, RecordTypes.RESULT, new InferenceOperatorFactory(engines, options))
                .uid(ENGINE_OPERATOR)
                .setParallelism(options.parallelism())
                .setMaxParallelism(EngineKeys.MAX_PARALLELISM);
        DataStream<DeadLetter> deadLetters = prepared.getSideOutput(SideOutputs.DEAD_LETTERS)
                .union(completions.getSideOutput(SideOutputs.DEAD_LETTERS));
        return new PipelineOutputs(completions, completions.getSideOutput(SideOutputs.DELTAS), deadLetters);
    }
}
