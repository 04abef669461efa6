package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.operators.ResultRecord;
import io.radixflow.operators.SourceRecord;
import io.radixflow.schemas.DeadLetter;
import io.radixflow.schemas.ErrorCode;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.jspecify.annotations.Nullable;

/**
 * Dead letters as rows of the output: a line with {@code custom_id}, {@code error} and the row as it was given to the engine, or a
 * row of a table. Adds them up in an accumulator, for the progress line.
 */
final class ErrorRows extends RichMapFunction<DeadLetter, ResultRecord> implements CheckpointedFunction {

    private static final long serialVersionUID = 1L;
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final List<ErrorCode> CODES = List.of(ErrorCode.values());

    private final OutputFormat format;
    private transient @Nullable RunCounts counts;

    ErrorRows(OutputFormat format) {
        this.format = format;
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        RunCounts opened = new RunCounts(names());
        opened.open(getRuntimeContext(), context);
        counts = opened;
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        counts().snapshot();
    }

    private static String[] names() {
        String[] names = new String[1 + CODES.size()];
        names[0] = LabelJob.DEAD_LETTERS;
        for (int i = 0; i < CODES.size(); i++) {
            names[1 + i] = LabelJob.ERRORS + CODES.get(i).wireName();
        }
        return names;
    }

    private RunCounts counts() {
        return Objects.requireNonNull(counts, "initializeState comes first");
    }

    @Override
    public ResultRecord map(DeadLetter letter) throws IOException {
        counts().add(0, 1);
        counts().add(1 + CODES.indexOf(letter.code()), 1);
        SourceRecord request = new SourceRecord(
                letter.key(),
                letter.value(),
                letter.headers(),
                letter.topic(),
                letter.partition(),
                letter.offset(),
                SourceRecord.NO_TIMESTAMP);
        RowOrigin origin = RowOrigin.of(letter.headers());
        ObjectNode row = JSON.createObjectNode();
        row.put("custom_id", RowsToRequests.customId(request));
        switch (format) {
            case JSONL -> addLine(row, letter, origin);
            case PARQUET, CSV -> addTableRow(row, letter, origin);
        }
        return new ResultRecord(null, JSON.writeValueAsBytes(row), List.of(), 0, SourceRecord.NO_TIMESTAMP);
    }

    private static void addLine(ObjectNode row, DeadLetter letter, @Nullable RowOrigin origin) {
        ObjectNode error = row.putObject("error");
        error.put("code", letter.code().wireName());
        error.put("message", letter.message());
        error.put("stage", letter.stage());
        error.put("file", letter.topic());
        error.put("row", letter.offset());
        row.put("input", letter.value() == null ? null : new String(letter.value(), UTF_8));
        if (origin != null && !origin.columns().isEmpty()) {
            row.set("columns", origin.columns());
        }
    }

    private static void addTableRow(ObjectNode row, DeadLetter letter, @Nullable RowOrigin origin) {
        row.put("file", letter.topic());
        row.put("row", letter.offset());
        if (origin != null) {
            row.setAll(origin.columns());
        }
        row.put("error_code", letter.code().wireName());
        row.put("error_message", letter.message());
    }
}
