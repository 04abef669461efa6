package io.radixflow.job.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.schemas.DeadLetter;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** Prints what comes out of the quickstart's topics and adds it up. One thread uses it. */
final class ResultPrinter {

    private static final int ANSWER_CHARS = 150;
    private static final int DELTA_CHARS = 40;

    private final ObjectMapper json = new ObjectMapper();
    private final Terminal terminal;
    private final List<ExamplePrompts.Prompt> prompts;
    private final Map<String, String> questions = new HashMap<>();
    private final Map<String, StringBuilder> partial = new HashMap<>();
    private int numAnswered;
    private int numDeadLetters;
    private int numUnexpected;
    private int numDeltas;
    private long promptTokens;
    private long cachedTokens;
    private long generatedTokens;

    ResultPrinter(Terminal terminal, List<ExamplePrompts.Prompt> prompts) {
        this.terminal = terminal;
        this.prompts = List.copyOf(prompts);
        for (ExamplePrompts.Prompt prompt : prompts) {
            if (prompt.key() != null) {
                questions.put(prompt.key(), prompt.question());
            }
        }
    }

    int numResults() {
        return numAnswered + numDeadLetters;
    }

    boolean isAllAsExpected() {
        return numUnexpected == 0 && numResults() == prompts.size();
    }

    void onCompletion(ConsumerRecord<byte[], byte[]> record) throws IOException {
        JsonNode value = json.readTree(record.value());
        JsonNode body = value.has("response") ? value.at("/response/body") : value;
        JsonNode usage = body.path("usage");
        long prompt = usage.path("prompt_tokens").asLong();
        long cached = usage.path("prompt_tokens_details").path("cached_tokens").asLong();
        long generated = usage.path("completion_tokens").asLong();
        numAnswered++;
        promptTokens += prompt;
        cachedTokens += cached;
        generatedTokens += generated;
        String id = value.path("custom_id").asText("?");
        terminal.line(terminal.bold(id) + "  " + questions.getOrDefault(id, ""));
        for (JsonNode choice : body.path("choices")) {
            String text = choice.path("message")
                    .path("content")
                    .asText(choice.path("text").asText());
            terminal.line("    " + ExamplePrompts.shorten(text, ANSWER_CHARS));
        }
        String finish = body.at("/choices/0/finish_reason").asText();
        terminal.line(terminal.faint("    " + finish + ", " + prompt + " prompt tokens (" + cached + " cached), "
                + generated + " generated"));
    }

    /** Prints a streamed answer as it grows, a piece of a line at a time. */
    void onDelta(ConsumerRecord<byte[], byte[]> record) throws IOException {
        JsonNode body = json.readTree(record.value());
        numDeltas++;
        String id = record.key() == null ? body.path("id").asText() : new String(record.key(), UTF_8);
        JsonNode choice = body.path("choices").path(0);
        String stream = id + " " + choice.path("index").asInt();
        StringBuilder text = partial.computeIfAbsent(stream, key -> new StringBuilder());
        text.append(
                choice.path("delta").path("content").asText(choice.path("text").asText()));
        boolean isEnd = choice.hasNonNull("finish_reason");
        if (!text.isEmpty() && (text.length() >= DELTA_CHARS || isEnd)) {
            terminal.line(
                    terminal.faint("  ~ " + id + " streams: ") + text.toString().replace("\n", "\\n"));
            text.setLength(0);
        }
    }

    void onDeadLetter(ConsumerRecord<byte[], byte[]> record) {
        numDeadLetters++;
        String code = header(record, DeadLetter.CODE_HEADER);
        String offset = header(record, DeadLetter.OFFSET_HEADER);
        ExamplePrompts.Prompt prompt = prompts.get((int) (Long.parseLong(offset) % prompts.size()));
        boolean isExpected = code.equals(prompt.expectedError());
        numUnexpected += isExpected ? 0 : 1;
        terminal.line(terminal.bold("dead letter") + (isExpected ? " (meant to be one)  " : "  ") + prompt.question());
        terminal.line("    " + code + ": " + header(record, DeadLetter.MESSAGE_HEADER));
    }

    /**
     * The closing lines.
     *
     * @param seconds from the first record sent to the last result read
     * @param totalSeconds from the start of the command
     */
    /** @param isSimulated whether the times are a model's; the title says so */
    void summary(double seconds, double totalSeconds, boolean isSimulated) {
        double hitRate = promptTokens == 0 ? 0 : 100.0 * cachedTokens / promptTokens;
        terminal.line("");
        terminal.line(terminal.bold(isSimulated ? "Summary of a simulated device" : "Summary"));
        terminal.line(String.format("  records               %d sent, %d answered", prompts.size(), numAnswered));
        terminal.line(String.format("  dead letters          %d (%d unexpected)", numDeadLetters, numUnexpected));
        terminal.line(String.format("  prompt tokens         %d", promptTokens));
        terminal.line(String.format("  generated tokens      %d", generatedTokens));
        terminal.line(String.format("  throughput            %.1f tok/s generated", generatedTokens / seconds));
        terminal.line(String.format(
                "  prefix-cache hit rate %.1f %% (%d prompt tokens not computed again)", hitRate, cachedTokens));
        terminal.line(String.format("  streamed chunks       %d", numDeltas));
        terminal.line(
                String.format("  time                  %.1f s for the records, %.1f s in all", seconds, totalSeconds));
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String key) {
        @Nullable Header header = record.headers().lastHeader(key);
        return header == null ? "?" : new String(header.value(), UTF_8);
    }
}
