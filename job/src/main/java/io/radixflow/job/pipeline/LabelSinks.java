package io.radixflow.job.pipeline;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.job.rows.TableSchema;
import io.radixflow.job.rows.TableWriter;
import io.radixflow.operators.RecordTypes;
import io.radixflow.operators.ResultRecord;
import io.radixflow.schemas.DeadLetter;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.flink.api.common.serialization.BulkWriter;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.sink.filesystem.OutputFileConfig;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.BasePathBucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;

/** Files of answers and dead letters; each checkpoint makes those so far final. */
final class LabelSinks {

    private LabelSinks() {}

    static void add(LabelPlan plan, DataStream<ResultRecord> answers, DataStream<DeadLetter> deadLetters) {
        OutputFormat format = plan.outputFormat();
        DataStream<ResultRecord> answerRows = answers.map(new AnswerRows(format, plan.answers()))
                .returns(RecordTypes.RESULT)
                .name("answer-rows")
                .uid("answer-rows");
        DataStream<ResultRecord> errorRows = deadLetters
                .map(new ErrorRows(format))
                .returns(RecordTypes.RESULT)
                .name("error-rows")
                .uid("error-rows");
        switch (format) {
            case JSONL -> {
                sink(answerRows, lines(plan, FinishedRows.ANSWERS), FinishedRows.ANSWERS);
                sink(errorRows, lines(plan, FinishedRows.DEAD_LETTERS), FinishedRows.DEAD_LETTERS);
            }
            case PARQUET, CSV -> sink(answerRows.union(errorRows), table(plan), FinishedRows.ANSWERS);
        }
    }

    private static void sink(DataStream<ResultRecord> rows, FileSink<ResultRecord> sink, String name) {
        rows.sinkTo(sink).name(name).uid(name);
    }

    private static FileSink<ResultRecord> lines(LabelPlan plan, String prefix) {
        return FileSink.forRowFormat(new Path(plan.outputDir()), LabelSinks::writeLine)
                .withBucketAssigner(new BasePathBucketAssigner<>())
                .withRollingPolicy(OnCheckpointRollingPolicy.build())
                .withOutputFileConfig(names(prefix, OutputFormat.JSONL))
                .build();
    }

    private static FileSink<ResultRecord> table(LabelPlan plan) {
        OutputFormat format = plan.outputFormat();
        TableSchema schema = plan.table();
        return FileSink.forBulkFormat(new Path(plan.outputDir()), out -> new TablePart(format.table(out, schema)))
                .withBucketAssigner(new BasePathBucketAssigner<>())
                .withRollingPolicy(OnCheckpointRollingPolicy.build())
                .withOutputFileConfig(names(FinishedRows.ANSWERS, format))
                .build();
    }

    private static OutputFileConfig names(String prefix, OutputFormat format) {
        return OutputFileConfig.builder()
                .withPartPrefix(prefix)
                .withPartSuffix(format.suffix())
                .build();
    }

    private static void writeLine(ResultRecord result, OutputStream out) throws IOException {
        out.write(result.value());
        out.write('\n');
    }

    /** A part file of a table. */
    private static final class TablePart implements BulkWriter<ResultRecord> {

        private static final ObjectMapper JSON = new ObjectMapper();

        private final TableWriter writer;

        TablePart(TableWriter writer) {
            this.writer = writer;
        }

        @Override
        public void addElement(ResultRecord row) throws IOException {
            writer.write(JSON.readTree(row.value()));
        }

        @Override
        public void flush() {}

        @Override
        public void finish() throws IOException {
            writer.close();
        }
    }
}
