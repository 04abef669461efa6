package io.radixflow.grammar;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.math.BigDecimal;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** JSON read exactly and compared by value. */
final class JsonValues {

    static final int MAX_CHARS = 1 << 20;
    static final int MAX_DEPTH = 200;
    private static final int MAX_NUMBER_CHARS = 400;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(MAX_NUMBER_CHARS)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private JsonValues() {}

    /** @throws GrammarException naming {@code what}, if it is not JSON or beyond the limits */
    static JsonNode parse(String json, String what) {
        if (json.length() > MAX_CHARS) {
            throw new GrammarException(what + " is longer than " + MAX_CHARS + " characters");
        }
        try {
            JsonNode node = MAPPER.readTree(json);
            if (node.isMissingNode()) {
                throw new GrammarException(what + " is empty");
            }
            return node;
        } catch (JsonProcessingException e) {
            String why = String.valueOf(e.getOriginalMessage());
            throw new GrammarException(
                    what + " is not well-formed JSON: " + (why.length() > 200 ? why.substring(0, 200) + "…" : why));
        }
    }

    /** A number's value. Jackson has limited how long it is written, this limits its exponent. */
    static BigDecimal number(JsonNode node) {
        BigDecimal value = node.decimalValue();
        if (Math.abs((long) value.precision() - value.scale()) > 1_000 || Math.abs((long) value.scale()) > 1_000) {
            throw new GrammarException("JSON Schema: a number of more than 1000 digits");
        }
        return value;
    }

    /** Equal as JSON: numbers by value, objects in any order. */
    static boolean areEqual(JsonNode a, JsonNode b) {
        if (JsonType.of(a) != JsonType.of(b) || a.size() != b.size()) {
            return false;
        }
        if (a.isNumber()) {
            return number(a).compareTo(number(b)) == 0;
        } else if (a.isArray()) {
            for (int i = 0; i < a.size(); i++) {
                if (!areEqual(a.get(i), b.get(i))) {
                    return false;
                }
            }
            return true;
        } else if (a.isObject()) {
            for (Iterator<Map.Entry<String, JsonNode>> fields = a.fields(); fields.hasNext(); ) {
                Map.Entry<String, JsonNode> field = fields.next();
                JsonNode other = b.get(field.getKey());
                if (other == null || !areEqual(field.getValue(), other)) {
                    return false;
                }
            }
            return true;
        }
        return a.equals(b);
    }

    static boolean contains(List<JsonNode> values, JsonNode value) {
        return values.stream().anyMatch(one -> areEqual(one, value));
    }

    /** A string in quotes, with the escapes that JSON demands and no others. */
    static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < ' ') {
                        out.append("\\u00")
                                .append(Character.forDigit(c >> 4, 16))
                                .append(Character.forDigit(c & 15, 16));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        return out.append('"').toString();
    }

    static boolean hasLoneSurrogate(String text) {
        for (int i = 0; i < text.length(); ) {
            int codePoint = text.codePointAt(i);
            if (codePoint >= 0xD800 && codePoint <= 0xDFFF) {
                return true;
            }
            i += Character.charCount(codePoint);
        }
        return false;
    }
}
