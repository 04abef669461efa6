package io.radixflow.job.pipeline;

import io.radixflow.job.kafka.KafkaEnds;
import io.radixflow.operators.EngineProvider;
import io.radixflow.operators.PipelineOptions;
import io.radixflow.operators.PromptPipeline;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** The unbounded job: prompts from Kafka, answers to Kafka. */
public final class StreamJob {

    public static final String NAME = "radixflow-stream";

    private StreamJob() {}

    /** Adds the job's graph to the environment. */
    public static void build(
            StreamExecutionEnvironment env, KafkaEnds kafka, EngineProvider engines, PipelineOptions options) {
        kafka.sinks(PromptPipeline.build(kafka.source(env), engines, options));
    }
}
