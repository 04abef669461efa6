package io.radixflow.job.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.operators.SourceRecord;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Makes a request of each row: the row itself if it is a body or an OpenAI Batch line, or a body around the prompt that a column or
 * template gives. A request without {@code custom_id} gets {@code file:row}. Rows that are no JSON objects pass as they are: the pipeline names what is wrong.
 *
 * @param promptColumn field whose text is the prompt, or null
 * @param promptTemplate text with {@code {field}} placeholders, or null
 * @param idColumn field whose text is the {@code custom_id}, or null for the field of that name
 * @param defaults JSON object with fields for every body (also that in a Batch line) that does not have them or others that say the same, or
 *     null
 */
public record RowsToRequests(
        @Nullable String promptColumn,
        @Nullable String promptTemplate,
        @Nullable String idColumn,
        @Nullable String defaults)
        implements Serializable {

    /** Fields that say what an answer must be; a body has at most one of them. */
    public static final Set<String> GRAMMARS =
            Set.of("response_format", "json_schema", "regex", "ebnf", "structural_tag", "choice");

    private static final Set<String> LENGTHS = Set.of("max_tokens", "max_completion_tokens");

    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{([^{}]+)}");

    /** The {@code custom_id} of a row that names none. */
    public static String identity(SourceRecord row) {
        return row.topic() + ":" + row.offset();
    }

    /** The fields that prompt and identity are made of. */
    public Set<String> columns() {
        Set<String> columns = promptColumns();
        if (idColumn != null) {
            columns.add(idColumn);
        }
        return columns;
    }

    private Set<String> promptColumns() {
        Set<String> columns = new LinkedHashSet<>();
        if (promptColumn != null) {
            columns.add(promptColumn);
        }
        if (promptTemplate != null) {
            Matcher matcher = PLACEHOLDER.matcher(promptTemplate);
            while (matcher.find()) {
                columns.add(matcher.group(1));
            }
        }
        return columns;
    }

    /** Whether a row is a body or a Batch line itself. */
    public boolean isBody() {
        return promptColumn == null && promptTemplate == null;
    }

    /** The {@code custom_id} of a request. */
    static String customId(SourceRecord request) {
        return customId(request, parse(request), "custom_id");
    }

    /**
     * The {@code custom_id} that a row's answer will carry.
     *
     * @param object the row, or null if it is no JSON object
     */
    String customId(SourceRecord row, @Nullable ObjectNode object) {
        return customId(row, object, idColumn == null ? "custom_id" : idColumn);
    }

    private static String customId(SourceRecord row, @Nullable ObjectNode object, String field) {
        return object != null && object.hasNonNull(field) ? text(object.get(field)) : identity(row);
    }

    /** Why no prompt can be made of a row: the column that it lacks; or null if one can. */
    @Nullable
    String missing(ObjectNode object) {
        for (String column : promptColumns()) {
            if (!object.hasNonNull(column)) {
                return column;
            }
        }
        return null;
    }

    /**
     * The row as a request.
     *
     * @param object the row, with all columns that the prompt needs, which this changes
     */
    ObjectNode request(SourceRecord row, ObjectNode object) {
        String customId = customId(row, object);
        ObjectNode request = isBody() ? object : bodyAround(prompt(object));
        request.put("custom_id", customId);
        if (defaults != null) {
            ObjectNode body = request.get("body") instanceof ObjectNode inside ? inside : request;
            List<String> given = new ArrayList<>();
            body.fieldNames().forEachRemaining(given::add);
            for (var field : object(defaults).properties()) {
                if (Collections.disjoint(given, synonyms(field.getKey()))) {
                    body.set(field.getKey(), field.getValue());
                }
            }
        }
        return request;
    }

    private static Set<String> synonyms(String field) {
        return GRAMMARS.contains(field) ? GRAMMARS : LENGTHS.contains(field) ? LENGTHS : Set.of(field);
    }

    private static ObjectNode bodyAround(String prompt) {
        ObjectNode body = JSON.createObjectNode();
        ObjectNode message = body.putArray("messages").addObject();
        message.put("role", "user");
        message.put("content", prompt);
        return body;
    }

    private String prompt(ObjectNode row) {
        if (promptTemplate == null) {
            return text(row.path(promptColumn));
        }
        Matcher matcher = PLACEHOLDER.matcher(promptTemplate);
        StringBuilder filled = new StringBuilder();
        while (matcher.find()) {
            matcher.appendReplacement(filled, Matcher.quoteReplacement(text(row.path(matcher.group(1)))));
        }
        matcher.appendTail(filled);
        return filled.toString();
    }

    private static String text(JsonNode value) {
        return value.isTextual() ? value.asText() : value.toString();
    }

    /** The row as an object, or null if it is none. */
    static @Nullable ObjectNode parse(SourceRecord row) {
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
