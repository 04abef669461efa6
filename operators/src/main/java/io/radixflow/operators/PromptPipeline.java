package io.radixflow.operators;

import org.apache.flink.streaming.api.datastream.DataStream;

/** Wires the operators from input records to completions, deltas and dead letters. */
public final class PromptPipeline {

    /** Name of the inference operator: the prefix of its metrics. */
    public static final String ENGINE_OPERATOR = "llm-engine";

    private PromptPipeline() {}

    /** @param records bounded or not; keeps its parallelism up to the engines */
    public static PipelineOutputs build(
            DataStream<SourceRecord> records, EngineProvider engines, PipelineOptions options) {
        return new PipelineOutputs(
                records.map(record -> new ResultRecord(record.key(), new byte[0], record.headers(), record.timestamp()))
                        .returns(RecordTypes.RESULT),
                records.map(record -> new ResultRecord(record.key(), new byte[0], record.headers(), record.timestamp()))
                        .returns(RecordTypes.RESULT),
                records.process(
                                new org.apache.flink.streaming.api.functions.ProcessFunction<
                                        SourceRecord, io.radixflow.schemas.DeadLetter>() {
                                    private static final long serialVersionUID = 1L;

                                    @Override
                                    public void processElement(
                                            SourceRecord r,
                                            Context c,
                                            org.apache.flink.util.Collector<io.radixflow.schemas.DeadLetter> out) {}
                                })
                        .returns(RecordTypes.DEAD_LETTER));
    }
}
