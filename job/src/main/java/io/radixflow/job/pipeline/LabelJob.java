package io.radixflow.job.pipeline;

import io.radixflow.operators.EngineProvider;
import io.radixflow.operators.PipelineOptions;
import io.radixflow.operators.PipelineOutputs;
import io.radixflow.operators.PreparedRequest;
import io.radixflow.operators.PromptPipeline;
import io.radixflow.operators.RecordTypes;
import io.radixflow.operators.SourceRecord;
import io.radixflow.operators.WholeInputOrder;
import io.radixflow.operators.WholeInputOrder.FileSlice;
import io.radixflow.schemas.DeadLetter;
import java.io.IOException;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.enumerate.NonSplittingRecursiveEnumerator;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The bounded job: rows of files in, answers and dead letters to files.
 *
 * <pre>
 * files -> rows -> rows-to-requests -> PromptPipeline -> answers
 *                        |                   |
 *                        +-> unreadable      +-> dead letters
 * </pre>
 */
public final class LabelJob {

    public static final String NAME = "radixflow-label";
    public static final String ANSWERS = "answers";
    public static final String DEAD_LETTERS = "deadLetters";
    public static final String PROMPT_TOKENS = "promptTokens";
    public static final String CACHED_TOKENS = "cachedTokens";
    public static final String GENERATED_TOKENS = "generatedTokens";

    /** Prefix of the counts of dead letters by code. */
    public static final String ERRORS = "error.";

    /** Suffix of the counts of what was done before the job was restored. */
    public static final String RESTORED = RunCounts.RESTORED;

    private LabelJob() {}

    /** Adds the job's graph to the environment. */
    public static void build(
            StreamExecutionEnvironment env, LabelPlan plan, EngineProvider engines, PipelineOptions options) {
        SingleOutputStreamOperator<SourceRecord> requests = requests(env, plan);
        PipelineOutputs outputs = PromptPipeline.build(requests, engines, options);
        LabelSinks.add(
                plan,
                outputs.completions(),
                outputs.deadLetters().union(requests.getSideOutput(RequestRows.UNREADABLE)));
    }

    /** The first of two stages that answer the rows in prefix order; in BATCH mode. Leaves what it found in a folder for the second. */
    public static void buildOrder(
            StreamExecutionEnvironment env,
            LabelPlan plan,
            EngineProvider engines,
            PipelineOptions options,
            Path folder) {
        SingleOutputStreamOperator<SourceRecord> requests = requests(env, plan);
        PromptPipeline.order(requests, requests.getSideOutput(RequestRows.UNREADABLE), engines, options, folder);
    }

    /** The second stage, which alone writes answers and dead letters. */
    public static void buildOrdered(
            StreamExecutionEnvironment env,
            LabelPlan plan,
            EngineProvider engines,
            PipelineOptions options,
            Path folder)
            throws IOException {
        DataStream<PreparedRequest> ranges = env.fromSource(
                        RunFormat.source(
                                RecordTypes.PREPARED,
                                FileSlice::openRequests,
                                WholeInputOrder.requests(folder),
                                folder),
                        WatermarkStrategy.noWatermarks(),
                        "sorted-requests",
                        RecordTypes.PREPARED)
                .uid("sorted-requests");
        DataStream<DeadLetter> refused = env.fromSource(
                        RunFormat.source(
                                RecordTypes.DEAD_LETTER,
                                FileSlice::openDeadLetters,
                                WholeInputOrder.deadLetters(folder),
                                folder),
                        WatermarkStrategy.noWatermarks(),
                        "refused",
                        RecordTypes.DEAD_LETTER)
                .uid("refused");
        PipelineOutputs outputs = PromptPipeline.answer(ranges, engines, options);
        LabelSinks.add(plan, outputs.completions(), outputs.deadLetters().union(refused));
    }

    /** The rows that no earlier run has answered, as requests in the order of their files. */
    private static SingleOutputStreamOperator<SourceRecord> requests(StreamExecutionEnvironment env, LabelPlan plan) {
        Path[] files = plan.inputs().stream().map(Path::new).toArray(Path[]::new);
        FileSource<SourceRecord> source = FileSource.forBulkFileFormat(new FileRows(plan.input()), files)
                .setFileEnumerator(() -> new NonSplittingRecursiveEnumerator(path -> true)) // each was named or chosen
                .build();
        return env.fromSource(source, WatermarkStrategy.noWatermarks(), "rows", RecordTypes.SOURCE)
                .uid("rows")
                .process(new RequestRows(plan))
                .returns(RecordTypes.SOURCE)
                .name("rows-to-requests")
                .uid("rows-to-requests");
    }
}
