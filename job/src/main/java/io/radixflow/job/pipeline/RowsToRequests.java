package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.operators.SourceRecord;
import java.io.IOException;
import java.io.Serializable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Makes a request of each row: the row itself if it is a body or an OpenAI Batch line, or a body around the prompt that a column or
 * template gives. A request without {@code custom_id} gets {@code file:line}. Rows that are no JSON objects pass as they are: the pipeline names what is wrong.
 *
 * @param promptColumn field whose text is the prompt, or null
 * @param promptTemplate text with {@code {field}} placeholders, or null
 * @param defaults JSON object with fields for every body (also that in a Batch line) that does not have them, or null
 */
public record RowsToRequests(
        @Nullable String promptColumn,
        @Nullable String promptTemplate,
        @Nullable String defaults) implements Serializable {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{([^{}]+)}");

    /** The {@code custom_id} of a row that names none. */
    public static String identity(SourceRecord row) {
        return row.topic() + ":" + row.offset();
    }

    /** The {@code custom_id} that the row's answer will carry. */
    public static String customId(SourceRecord row) {
        JsonNode body = parse(row);
        return body != null && body.hasNonNull("custom_id")
                ? body.get("custom_id").asText()
                : identity(row);
    }

    /** The row as a request. */
    public SourceRecord request(SourceRecord row) {
        ObjectNode request = parse(row);
        if (request == null) {
            return row;
        }
        if (promptColumn != null || promptTemplate != null) {
            request = bodyAround(prompt(request), request);
        }
        if (!request.hasNonNull("custom_id")) {
            request.put("custom_id", identity(row));
        }
        if (defaults != null) {
            ObjectNode body = request.get("body") instanceof ObjectNode inside ? inside : request;
            for (var field : object(defaults).properties()) {
                if (!body.has(field.getKey())) {
                    body.set(field.getKey(), field.getValue());
                }
            }
        }
        return new SourceRecord(
                row.key(),
                request.toString().getBytes(UTF_8),
                row.headers(),
                row.topic(),
                row.partition(),
                row.offset(),
                row.timestamp());
    }

    private static ObjectNode bodyAround(@Nullable String prompt, ObjectNode row) {
        ObjectNode body = JSON.createObjectNode();
        if (row.hasNonNull("custom_id")) {
            body.set("custom_id", row.get("custom_id"));
        }
        ObjectNode message = body.putArray("messages").addObject();
        message.put("role", "user");
        message.put("content", prompt); // null is a dead letter that names messages
        return body;
    }

    private @Nullable String prompt(ObjectNode row) {
        if (promptTemplate == null) {
            JsonNode column = promptColumn == null ? null : row.get(promptColumn);
            return column == null || column.isNull() ? null : text(column);
        }
        Matcher matcher = PLACEHOLDER.matcher(promptTemplate);
        StringBuilder filled = new StringBuilder();
        while (matcher.find()) {
            JsonNode column = row.get(matcher.group(1));
            if (column == null) {
                return null;
            }
            matcher.appendReplacement(filled, Matcher.quoteReplacement(text(column)));
        }
        matcher.appendTail(filled);
        return filled.toString();
    }

    private static String text(JsonNode value) {
        return value.isTextual() ? value.asText() : value.toString();
    }

    private static @Nullable ObjectNode parse(SourceRecord row) {
        try {
            return row.value() != null && JSON.readTree(row.value()) instanceof ObjectNode object ? object : null;
        } catch (IOException e) {
            return null;
        }
    }

    private static ObjectNode object(String text) {
        try {
            if (JSON.readTree(text) instanceof ObjectNode object) {
                return object;
            }
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("no JSON: " + e.getOriginalMessage(), e);
        }
        throw new IllegalArgumentException("no JSON object");
    }

    /** @throws IllegalArgumentException if {@link #defaults} is no JSON object */
    public RowsToRequests {
        if (defaults != null) {
            object(defaults);
        }
    }
}
