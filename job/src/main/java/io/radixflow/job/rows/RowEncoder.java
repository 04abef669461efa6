package io.radixflow.job.rows;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Rows of columns as JSON. Where rows are bodies, a column of text may hold what the API wants as number, list or object, as CSV
 * can't do otherwise: it is taken as JSON if it is such, and nothing if it is empty.
 */
final class RowEncoder {

    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final Set<String> TEXTS =
            Set.of("custom_id", "prompt", "model", "user", "method", "url", "cache_salt", "suffix");

    private final boolean isBodies;

    RowEncoder(boolean isBodies) {
        this.isBodies = isBodies;
    }

    /** Changes the row. */
    byte[] encode(ObjectNode row) {
        if (isBodies) {
            parseTexts(row);
        }
        try {
            return JSON.writeValueAsBytes(row);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree is always JSON", e);
        }
    }

    private static void parseTexts(ObjectNode row) {
        List<String> names = new ArrayList<>();
        row.fieldNames().forEachRemaining(names::add);
        for (String name : names) {
            JsonNode value = row.get(name);
            if (value.isTextual() && value.textValue().isEmpty()) {
                row.remove(name);
            } else if (value.isTextual() && !TEXTS.contains(name)) {
                row.set(name, parsed(value));
            }
        }
    }

    private static JsonNode parsed(JsonNode text) {
        try {
            JsonNode tree = JSON.readTree(text.textValue());
            return tree.isMissingNode() ? text : tree;
        } catch (JsonProcessingException e) {
            return text;
        }
    }
}
