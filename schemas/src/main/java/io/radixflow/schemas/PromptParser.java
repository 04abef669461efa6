package io.radixflow.schemas;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Bytes to {@link PromptRecord}. Whatever the bytes are, the outcome is a record or a {@link RecordException} that names the
 * field and what is allowed: a known field is honoured or refused, never ignored. Thread-safe.
 */
public final class PromptParser {

    private static final int MAX_STOP_STRINGS = 16;
    private static final int MAX_STOP_CHARS = 512;
    private static final int MAX_STOP_TOKEN_IDS = 256;
    private static final int MAX_ID_CHARS = 512;
    private static final int MAX_NAME_CHARS = 1024;
    private static final double ABOVE_ZERO = Float.MIN_VALUE;

    /** Variables that the template gets from us; a request must not replace them. */
    private static final Set<String> RESERVED_VARIABLES =
            Set.of("messages", "tools", "documents", "bos_token", "eos_token", "add_generation_prompt");

    private final JsonReader json = new JsonReader();

    /** @throws RecordException {@code invalid_json}, {@code invalid_request} or {@code unsupported_parameter} */
    public PromptRecord parse(byte @Nullable [] value) throws RecordException {
        RequestFields fields = new RequestFields(json.readObject(value));
        UnsupportedFields.refuse(fields);
        JsonNode messages = fields.find("messages");
        JsonNode prompt = fields.find("prompt");
        if ((messages == null) == (prompt == null)) {
            throw RequestFields.invalid("the value must have either messages (a chat) or prompt (a completion)");
        }
        String model = fields.string("model", MAX_NAME_CHARS);
        fields.string("user", MAX_NAME_CHARS);
        SamplingFields sampling = sampling(fields);
        boolean isStream = fields.bool("stream", false);
        boolean hasStreamUsage = streamUsage(fields);
        Map<String, @Nullable Object> variables = templateVariables(fields);
        String customId = fields.string("custom_id", MAX_ID_CHARS);
        ObjectNode metadata = fields.object("metadata");
        String cacheSalt = fields.string("cache_salt", MAX_ID_CHARS);
        return new PromptRecord(
                messages == null ? PromptRecord.Kind.COMPLETION : PromptRecord.Kind.CHAT,
                model,
                messages == null ? List.of() : MessageParser.parse(messages),
                prompt == null ? null : promptText(prompt),
                sampling,
                isStream,
                hasStreamUsage,
                variables,
                customId,
                metadata == null ? null : metadata.toString(),
                cacheSalt,
                fields.unknown());
    }

    private static String promptText(JsonNode prompt) throws RecordException {
        if (prompt.isArray()) {
            throw UnsupportedFields.unsupported("prompt as a list");
        }
        if (!prompt.isTextual() || prompt.textValue().isEmpty()) {
            throw RequestFields.wrong("prompt", "a non-empty string", prompt);
        }
        return prompt.textValue();
    }

    private static SamplingFields sampling(RequestFields fields) throws RecordException {
        Integer maxTokens = maxTokens(fields);
        Integer minTokens = fields.integer("min_tokens", 0, Integer.MAX_VALUE);
        if (maxTokens != null && minTokens != null && minTokens > maxTokens) {
            throw RequestFields.invalid("min_tokens must be at most max_tokens (" + maxTokens + "), got " + minTokens);
        }
        return new SamplingFields(
                fields.number("temperature", 1, 0, Float.MAX_VALUE, "of 0 or more"),
                fields.number("top_p", 1, ABOVE_ZERO, 1, "in (0, 1]"),
                topK(fields),
                fields.number("min_p", 0, 0, 1, "in [0, 1]"),
                fields.number("presence_penalty", 0, -2, 2, "in [-2, 2]"),
                fields.number("frequency_penalty", 0, -2, 2, "in [-2, 2]"),
                fields.number("repetition_penalty", 1, ABOVE_ZERO, 2, "in (0, 2]"),
                maxTokens,
                minTokens == null ? 0 : minTokens,
                fields.bool("ignore_eos", false),
                fields.whole("seed"),
                stop(fields),
                stopTokenIds(fields),
                fields.bool("skip_special_tokens", true));
    }

    private static @Nullable Integer maxTokens(RequestFields fields) throws RecordException {
        Integer former = fields.integer("max_tokens", 1, Integer.MAX_VALUE);
        Integer current = fields.integer("max_completion_tokens", 1, Integer.MAX_VALUE);
        if (former != null && current != null && !former.equals(current)) {
            throw RequestFields.invalid("max_tokens (" + former + ") and max_completion_tokens (" + current
                    + ") mean the same; give one of them");
        }
        return current == null ? former : current;
    }

    private static int topK(RequestFields fields) throws RecordException {
        Integer topK = fields.integer("top_k", -1, Integer.MAX_VALUE);
        if (topK != null && topK == 0) {
            throw RequestFields.invalid("top_k must be -1 (all) or at least 1, got 0");
        }
        return topK == null ? -1 : topK;
    }

    private static List<String> stop(RequestFields fields) throws RecordException {
        JsonNode stop = fields.find("stop");
        if (stop == null) {
            return List.of();
        }
        if (stop.isTextual()) {
            return List.of(stopString("stop", stop));
        }
        if (!stop.isArray() || stop.size() > MAX_STOP_STRINGS) {
            throw RequestFields.wrong("stop", "a string or a list of at most " + MAX_STOP_STRINGS + " strings", stop);
        }
        List<String> strings = new ArrayList<>(stop.size());
        for (int i = 0; i < stop.size(); i++) {
            strings.add(stopString("stop[" + i + "]", stop.get(i)));
        }
        return strings;
    }

    private static String stopString(String name, JsonNode node) throws RecordException {
        if (!node.isTextual() || node.textValue().isEmpty() || node.textValue().length() > MAX_STOP_CHARS) {
            throw RequestFields.wrong(name, "a string of 1 to " + MAX_STOP_CHARS + " characters", node);
        }
        return node.textValue();
    }

    private static int[] stopTokenIds(RequestFields fields) throws RecordException {
        JsonNode ids = fields.find("stop_token_ids");
        if (ids == null) {
            return new int[0];
        }
        if (!ids.isArray() || ids.size() > MAX_STOP_TOKEN_IDS) {
            throw RequestFields.wrong("stop_token_ids", "a list of at most " + MAX_STOP_TOKEN_IDS + " token ids", ids);
        }
        int[] values = new int[ids.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (int) RequestFields.whole("stop_token_ids[" + i + "]", ids.get(i), 0, Integer.MAX_VALUE);
        }
        return values;
    }

    private static boolean streamUsage(RequestFields fields) throws RecordException {
        ObjectNode options = fields.object("stream_options");
        return options == null || new RequestFields(options).bool("include_usage", true);
    }

    private static Map<String, @Nullable Object> templateVariables(RequestFields fields) throws RecordException {
        ObjectNode given = fields.object("chat_template_kwargs");
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        if (given == null) {
            return variables;
        }
        for (var field : given.properties()) {
            String name = "chat_template_kwargs." + field.getKey();
            if (RESERVED_VARIABLES.contains(field.getKey())) {
                throw RequestFields.invalid(name + " is set by the request itself and can't be replaced");
            }
            variables.put(field.getKey(), MessageParser.plain(name, field.getValue()));
        }
        return variables;
    }
}
