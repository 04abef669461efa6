package io.radixflow.job.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.job.rows.ColumnType;
import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The columns of a table that hold what a JSON answer says: one for each property, or one for the answer as a whole; may be none. */
public record AnswerColumns(List<AnswerColumn> columns) implements Serializable {

    public static final AnswerColumns NONE = new AnswerColumns(List.of());

    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    static {
        JSON.getFactory()
                .setStreamReadConstraints(StreamReadConstraints.builder()
                        .maxNumberLength(Integer.MAX_VALUE)
                        .build());
    }

    /**
     * A column of the output.
     *
     * @param name in the output
     * @param property of the answer, or null for the answer as a whole
     * @param type of its values
     */
    public record AnswerColumn(String name, @Nullable String property, ColumnType type) implements Serializable {}

    public AnswerColumns {
        columns = List.copyOf(columns);
    }

    /** Sets the columns of a row that the answer has a fitting value for; a text that is no JSON has none. */
    void fill(ObjectNode row, String text) {
        JsonNode answer = parse(text);
        if (answer == null) {
            return;
        }
        for (AnswerColumn column : columns) {
            JsonNode value = column.property() == null ? answer : answer.path(column.property());
            JsonNode cell = value.isMissingNode() || value.isNull() ? null : cell(column.type(), value);
            if (cell != null) {
                row.set(column.name(), cell);
            }
        }
    }

    private static @Nullable JsonNode parse(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException | NumberFormatException e) {
            return null;
        }
    }

    /** The value in its column's type, or null if that can't hold it. */
    private static @Nullable JsonNode cell(ColumnType type, JsonNode value) {
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        return switch (type) {
            case TEXT -> value.isTextual() ? value : null;
            case JSON -> nodes.textNode(value.toString());
            case LONG ->
                value.canConvertToExactIntegral() && value.canConvertToLong()
                        ? nodes.numberNode(value.longValue())
                        : null;
            case DOUBLE ->
                value.isNumber() && Double.isFinite(value.doubleValue()) ? nodes.numberNode(value.doubleValue()) : null;
            case BOOLEAN -> value.isBoolean() ? value : null;
        };
    }
}
