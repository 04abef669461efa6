package io.radixflow.schemas;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Chat messages, tools and template variables as the plain values that chat templates work on. Thread-safe. */
final class MessageParser {

    private static final int MAX_TOOLS = 512;
    private static final String[] OPTIONAL_TEXTS = {"name", "reasoning_content", "tool_call_id"};

    private final JsonReader json;

    MessageParser(JsonReader json) {
        this.json = json;
    }

    List<Map<String, @Nullable Object>> messages(JsonNode messages) throws RecordException {
        if (!messages.isArray() || messages.isEmpty()) {
            throw RequestFields.wrong("messages", "a list of at least one message", messages);
        }
        List<Map<String, @Nullable Object>> parsed = new ArrayList<>(messages.size());
        for (int i = 0; i < messages.size(); i++) {
            parsed.add(message("messages[" + i + "]", messages.get(i)));
        }
        return parsed;
    }

    private Map<String, @Nullable Object> message(String where, JsonNode message) throws RecordException {
        if (!message.isObject()) {
            throw RequestFields.wrong(where, "an object with role and content", message);
        }
        JsonNode role = message.path("role");
        if (!role.isTextual() || role.textValue().isEmpty()) {
            throw RequestFields.wrong(where + ".role", "a non-empty string such as user", role);
        }
        if (isPresent(message.path("function_call"))) {
            throw UnsupportedFields.unsupported(where + ".function_call (tool_calls took its place)");
        }
        Map<String, @Nullable Object> parsed = new LinkedHashMap<>();
        parsed.put("role", role.textValue());
        JsonNode calls = message.path("tool_calls");
        boolean hasCalls = isPresent(calls) && !(calls.isArray() && calls.isEmpty());
        JsonNode content = message.path("content");
        // A message that only calls tools has no content; templates get the empty text, as from SGLang.
        parsed.put("content", hasCalls && !isPresent(content) ? "" : content(where + ".content", content));
        for (String field : OPTIONAL_TEXTS) {
            JsonNode node = message.path(field);
            if (node.isTextual()) {
                parsed.put(field, node.textValue());
            } else if (isPresent(node)) {
                throw RequestFields.wrong(where + "." + field, "a string", node);
            }
        }
        if (hasCalls) {
            parsed.put("tool_calls", toolCalls(where + ".tool_calls", calls));
        }
        return parsed;
    }

    private static boolean isPresent(JsonNode node) {
        return !node.isNull() && !node.isMissingNode();
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

    private List<@Nullable Object> toolCalls(String where, JsonNode calls) throws RecordException {
        if (!calls.isArray()) {
            throw RequestFields.wrong(where, "a list", calls);
        }
        List<@Nullable Object> parsed = new ArrayList<>(calls.size());
        for (int i = 0; i < calls.size(); i++) {
            String at = where + "[" + i + "]";
            JsonNode call = calls.get(i);
            if (!call.path("function").path("name").isTextual()) {
                throw RequestFields.wrong(
                        at + ".function.name", "a string", call.path("function").path("name"));
            }
            Map<String, @Nullable Object> plain = new LinkedHashMap<>();
            for (var field : call.properties()) {
                boolean isFunction = field.getKey().equals("function");
                String name = at + "." + field.getKey();
                plain.put(
                        field.getKey(),
                        isFunction ? calledFunction(name, field.getValue()) : plain(name, field.getValue()));
            }
            parsed.add(plain);
        }
        return parsed;
    }

    /** Arguments come as JSON text; templates want the object, to write it their own way. */
    private Map<String, @Nullable Object> calledFunction(String where, JsonNode function) throws RecordException {
        Map<String, @Nullable Object> plain = new LinkedHashMap<>();
        for (var field : function.properties()) {
            String name = where + "." + field.getKey();
            JsonNode value = field.getValue();
            boolean isText = field.getKey().equals("arguments") && value.isTextual();
            if (isText && value.textValue().isBlank()) {
                plain.put(field.getKey(), Map.of());
            } else {
                plain.put(field.getKey(), plain(name, isText ? json.readField(name, value.textValue()) : value));
            }
        }
        return plain;
    }

    /** The tools that a template renders, or null if there are none or {@code tool_choice} is none. */
    static @Nullable List<@Nullable Object> tools(RequestFields fields) throws RecordException {
        JsonNode tools = fields.list("tools", MAX_TOOLS, "tools");
        JsonNode choice = fields.find("tool_choice");
        if (choice != null) {
            String word = choice.isTextual() ? choice.textValue() : "";
            if (!word.equals("none") && !word.equals("auto")) {
                throw UnsupportedFields.unsupported("tool_choice other than none or auto");
            }
        }
        fields.bool("parallel_tool_calls", true);
        if (tools == null || tools.isEmpty()) {
            return null;
        }
        List<@Nullable Object> parsed = new ArrayList<>(tools.size());
        for (int i = 0; i < tools.size(); i++) {
            JsonNode tool = tools.get(i);
            String type = tool.path("type").asText();
            if (!type.equals("function")) {
                throw UnsupportedFields.unsupported("tools[" + i + "] of a type other than function");
            }
            JsonNode name = tool.path("function").path("name");
            if (!name.isTextual() || name.textValue().isEmpty()) {
                throw RequestFields.wrong("tools[" + i + "].function.name", "a non-empty string", name);
            }
            parsed.add(plain("tools[" + i + "]", tool));
        }
        // A model that must not call tools is not told of any, as with SGLang.
        return choice != null && choice.asText().equals("none") ? null : parsed;
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
