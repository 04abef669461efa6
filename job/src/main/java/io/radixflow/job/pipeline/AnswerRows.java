package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.operators.ResultRecord;
import java.io.IOException;
import java.util.List;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.jspecify.annotations.Nullable;

/**
 * Answers as rows of the output: the API's object, with the columns that are carried along, or a row of a table. Adds them and
 * their tokens up in accumulators, for the progress line.
 */
final class AnswerRows extends RichMapFunction<ResultRecord, ResultRecord> {

    private static final long serialVersionUID = 1L;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final OutputFormat format;
    private final LongCounter answers = new LongCounter();
    private final LongCounter promptTokens = new LongCounter();
    private final LongCounter cachedTokens = new LongCounter();
    private final LongCounter generatedTokens = new LongCounter();

    AnswerRows(OutputFormat format) {
        this.format = format;
    }

    @Override
    public void open(OpenContext context) {
        getRuntimeContext().addAccumulator(LabelJob.ANSWERS, answers);
        getRuntimeContext().addAccumulator(LabelJob.PROMPT_TOKENS, promptTokens);
        getRuntimeContext().addAccumulator(LabelJob.CACHED_TOKENS, cachedTokens);
        getRuntimeContext().addAccumulator(LabelJob.GENERATED_TOKENS, generatedTokens);
    }

    @Override
    public ResultRecord map(ResultRecord result) throws IOException {
        JsonNode answer = JSON.readTree(result.value());
        JsonNode body = answer.has("usage") ? answer : answer.path("response").path("body");
        count(body.path("usage"));
        RowOrigin origin = RowOrigin.of(result.headers());
        byte[] value = switch (format) {
            case JSONL -> line(result.value(), origin);
            case PARQUET -> JSON.writeValueAsBytes(tableRow(answer, body, origin));
        };
        return new ResultRecord(null, value, List.of(), result.orderHash(), result.timestamp());
    }

    private void count(JsonNode usage) {
        answers.add(1);
        promptTokens.add(usage.path("prompt_tokens").asLong());
        cachedTokens.add(
                usage.path("prompt_tokens_details").path("cached_tokens").asLong());
        generatedTokens.add(usage.path("completion_tokens").asLong());
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

    private static ObjectNode tableRow(JsonNode answer, JsonNode body, @Nullable RowOrigin origin) {
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
        row.put("text", (message.isObject() ? message.path("content") : first.path("text")).asText(null));
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
        return row;
    }
}
