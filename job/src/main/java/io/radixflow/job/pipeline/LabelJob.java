package io.radixflow.job.pipeline;

import io.radixflow.operators.EngineProvider;
import io.radixflow.operators.PipelineOptions;
import io.radixflow.operators.PipelineOutputs;
import io.radixflow.operators.PromptPipeline;
import io.radixflow.operators.RecordTypes;
import io.radixflow.operators.ResultRecord;
import io.radixflow.operators.SourceRecord;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.Encoder;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.filesystem.OutputFileConfig;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.BasePathBucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;

/**
 * The bounded job: rows of files in, answers and dead letters to files. It runs in streaming mode, because only there are
 * checkpoints: each makes the answers so far final, and a failed task goes on from the last one.
 */
public final class LabelJob {

    public static final String NAME = "radixflow-label";
    public static final String ANSWERS = "answers";
    public static final String DEAD_LETTERS = "deadLetters";
    public static final String PROMPT_TOKENS = "promptTokens";
    public static final String CACHED_TOKENS = "cachedTokens";
    public static final String GENERATED_TOKENS = "generatedTokens";

    private LabelJob() {}

    /** Adds the job's graph to the environment. */
    public static void build(
            StreamExecutionEnvironment env,
            List<Path> inputs,
            Path outputDir,
            RowsToRequests requests,
            EngineProvider engines,
            PipelineOptions options) {
        org.apache.flink.core.fs.Path[] paths =
                inputs.stream().map(LabelJob::flinkPath).toArray(org.apache.flink.core.fs.Path[]::new);
        FileSource<SourceRecord> source =
                FileSource.forBulkFileFormat(new JsonlFormat(), paths).build();
        DataStream<SourceRecord> rows = env.fromSource(
                        source, WatermarkStrategy.noWatermarks(), "rows", RecordTypes.SOURCE)
                .uid("rows")
                .filter(row -> row.value() != null && row.value().length > 0)
                .name("drop-blank-lines")
                .filter(new SkipFinished(outputDir))
                .name("skip-finished")
                .map(requests::request)
                .returns(RecordTypes.SOURCE)
                .name("rows-to-requests");
        PipelineOutputs outputs = PromptPipeline.build(rows, engines, options);
        outputs.completions()
                .map(new UsageCounter())
                .returns(RecordTypes.RESULT)
                .name("count-usage")
                .sinkTo(sink(outputDir, FinishedRows.ANSWERS, LabelJob::writeLine))
                .name("answers")
                .uid("answers");
        outputs.deadLetters()
                .map(new DeadLetterCounter())
                .returns(RecordTypes.DEAD_LETTER)
                .name("count-dead-letters")
                .sinkTo(sink(outputDir, FinishedRows.DEAD_LETTERS, new DeadLetterLines()))
                .name("dead-letters")
                .uid("dead-letters");
    }

    private static <T> FileSink<T> sink(Path outputDir, String prefix, Encoder<T> encoder) {
        return FileSink.forRowFormat(flinkPath(outputDir), encoder)
                .withBucketAssigner(new BasePathBucketAssigner<>())
                .withRollingPolicy(OnCheckpointRollingPolicy.build())
                .withOutputFileConfig(OutputFileConfig.builder()
                        .withPartPrefix(prefix)
                        .withPartSuffix(FinishedRows.SUFFIX)
                        .build())
                .build();
    }

    private static void writeLine(ResultRecord result, OutputStream out) throws IOException {
        out.write(result.value());
        out.write('\n');
    }

    private static org.apache.flink.core.fs.Path flinkPath(Path path) {
        return new org.apache.flink.core.fs.Path(path.toAbsolutePath().toUri());
    }
}
