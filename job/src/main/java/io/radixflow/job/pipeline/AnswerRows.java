package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.operators.ResultRecord;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.jspecify.annotations.Nullable;

/**
 * Answers as rows of the output: the API's object, with the columns that are carried along, or a row of a table. Adds them and
 * their tokens up in accumulators, for the progress line.
 */
final class AnswerRows extends RichMapFunction<ResultRecord, ResultRecord> implements CheckpointedFunction {

    private static final long serialVersionUID = 1L;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final OutputFormat format;
    private final AnswerColumns columns;
    private transient @Nullable RunCounts counts;

    AnswerRows(OutputFormat format, AnswerColumns columns) {
        this.format = format;
        this.columns = columns;
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        RunCounts opened = new RunCounts(
                LabelJob.ANSWERS, LabelJob.PROMPT_TOKENS, LabelJob.CACHED_TOKENS, LabelJob.GENERATED_TOKENS);
        opened.open(getRuntimeContext(), context);
        counts = opened;
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        counts().snapshot();
    }

    @Override
    public ResultRecord map(ResultRecord result) throws IOException {
        JsonNode answer = JSON.readTree(result.value());
        JsonNode body = answer.has("usage") ? answer : answer.path("response").path("body");
        count(body.path("usage"));
        RowOrigin origin = RowOrigin.of(result.headers());
        byte[] value = switch (format) {
            case JSONL -> line(result.value(), origin);
            case PARQUET, CSV -> JSON.writeValueAsBytes(tableRow(answer, body, origin));
        };
        return new ResultRecord(null, value, List.of(), result.orderHash(), result.timestamp());
    }

    private void count(JsonNode usage) {
        RunCounts open = counts();
        open.add(0, 1);
        open.add(1, usage.path("prompt_tokens").asLong());
        open.add(2, usage.path("prompt_tokens_details").path("cached_tokens").asLong());
        open.add(3, usage.path("completion_tokens").asLong());
    }

    private RunCounts counts() {
        return Objects.requireNonNull(counts, "initializeState comes first");
    }

    /** The answer byte for byte, and {@code columns} as its last field if some are carried along. */
    private static byte[] line(byte[] answer, @Nullable RowOrigin origin) {
        if (origin == null || origin.columns().isEmpty()) {
            return answer;
        }
        String text = new String(answer, UTF_8);
        String open = text.substring(0, text.lastIndexOf('}'));
        return (open + ",\"columns\":" + origin.columns() + "}").getBytes(UTF_8);
    }

    private ObjectNode tableRow(JsonNode answer, JsonNode body, @Nullable RowOrigin origin) {
        ObjectNode row = JSON.createObjectNode();
        row.set("custom_id", answer.path("custom_id"));
        if (origin != null) {
            row.put("file", origin.file());
            row.put("row", origin.row());
            row.setAll(origin.columns());
        }
        JsonNode choices = body.path("choices");
        JsonNode first = choices.path(0);
        JsonNode message = first.path("message");
        JsonNode text = message.isObject() ? message.path("content") : first.path("text");
        row.put("text", text.asText(null));
        row.put("reasoning", message.path("reasoning_content").asText(null));
        row.put("finish_reason", first.path("finish_reason").asText(null));
        JsonNode usage = body.path("usage");
        row.set("prompt_tokens", usage.path("prompt_tokens"));
        row.set("cached_tokens", usage.path("prompt_tokens_details").path("cached_tokens"));
        row.set("completion_tokens", usage.path("completion_tokens"));
        boolean isMoreThanText = choices.size() > 1
                || first.hasNonNull("logprobs")
                || first.hasNonNull("prompt_logprobs")
                || message.hasNonNull("tool_calls");
        if (isMoreThanText) {
            row.put("choices", choices.toString());
        }
        boolean isWhole = first.path("finish_reason").asText().equals("stop");
        if (isWhole) {
            columns.fill(row, text.asText());
        }
        return row;
    }
}
