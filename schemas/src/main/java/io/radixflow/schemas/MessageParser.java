package io.radixflow.schemas;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Chat messages and template variables as the plain values that chat templates work on. */
final class MessageParser {

    private static final String[] TOOL_FIELDS = {"tool_calls", "function_call", "tool_call_id"};
    private static final String[] OPTIONAL_TEXTS = {"name", "reasoning_content"};

    private MessageParser() {}

    static List<Map<String, Object>> parse(JsonNode messages) throws RecordException {
        if (!messages.isArray() || messages.isEmpty()) {
            throw RequestFields.wrong("messages", "a list of at least one message", messages);
        }
        List<Map<String, Object>> parsed = new ArrayList<>(messages.size());
        for (int i = 0; i < messages.size(); i++) {
            parsed.add(message("messages[" + i + "]", messages.get(i)));
        }
        return parsed;
    }

    private static Map<String, Object> message(String where, JsonNode message) throws RecordException {
        if (!message.isObject()) {
            throw RequestFields.wrong(where, "an object with role and content", message);
        }
        JsonNode role = message.path("role");
        if (!role.isTextual() || role.textValue().isEmpty()) {
            throw RequestFields.wrong(where + ".role", "a non-empty string such as user", role);
        }
        for (String field : TOOL_FIELDS) {
            JsonNode node = message.path(field);
            if (!node.isNull() && !node.isMissingNode() && !(node.isArray() && node.isEmpty())) {
                throw UnsupportedFields.unsupported(where + "." + field);
            }
        }
        Map<String, Object> parsed = new LinkedHashMap<>();
        parsed.put("role", role.textValue());
        parsed.put("content", content(where + ".content", message.path("content")));
        for (String field : OPTIONAL_TEXTS) {
            JsonNode node = message.path(field);
            if (node.isTextual()) {
                parsed.put(field, node.textValue());
            } else if (!node.isNull() && !node.isMissingNode()) {
                throw RequestFields.wrong(where + "." + field, "a string", node);
            }
        }
        return parsed;
    }

    /** Text parts are joined by one space, as SGLang does for templates that take strings. */
    private static String content(String where, JsonNode content) throws RecordException {
        if (content.isTextual()) {
            return content.textValue();
        }
        if (!content.isArray()) {
            throw RequestFields.wrong(where, "a string or a list of parts", content);
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < content.size(); i++) {
            if (i > 0) {
                text.append(' ');
            }
            text.append(part(where + "[" + i + "]", content.get(i)));
        }
        return text.toString();
    }

    private static String part(String where, JsonNode part) throws RecordException {
        JsonNode type = part.path("type");
        if (!type.isTextual()) {
            throw RequestFields.wrong(where + ".type", "a string such as text", type);
        }
        if (!type.textValue().equals("text")) {
            boolean isKnown = type.textValue().equals("image_url");
            throw UnsupportedFields.unsupported(where + " of type " + (isKnown ? "image_url" : "other than text"));
        }
        JsonNode text = part.path("text");
        if (!text.isTextual()) {
            throw RequestFields.wrong(where + ".text", "a string", text);
        }
        return text.textValue();
    }

    /** Strings, numbers (Long, or Double with a fraction), booleans, null, lists, maps. */
    static @Nullable Object plain(String where, JsonNode node) throws RecordException {
        if (node.isObject()) {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            for (var field : node.properties()) {
                map.put(field.getKey(), plain(where + "." + field.getKey(), field.getValue()));
            }
            return map;
        }
        if (node.isArray()) {
            List<@Nullable Object> list = new ArrayList<>(node.size());
            for (JsonNode element : node) {
                list.add(plain(where, element));
            }
            return list;
        }
        if (node.isIntegralNumber()) {
            return RequestFields.whole(where, node, Long.MIN_VALUE, Long.MAX_VALUE);
        }
        if (node.isNumber()) {
            BigDecimal exact = node.decimalValue();
            double value = exact.doubleValue();
            if (Double.isInfinite(value)) {
                throw RequestFields.wrong(where, "a number within the range of a double", node);
            }
            return value;
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        return node.isTextual() ? node.textValue() : null;
    }
}
