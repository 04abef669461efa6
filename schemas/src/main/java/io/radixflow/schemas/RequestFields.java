package io.radixflow.schemas;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Typed, checked access to the fields of one request. A field that is absent or null takes its default; one of the wrong type
 * or out of range is refused by name. Remembers which names were asked for, so that the rest can be reported.
 */
final class RequestFields {

    private final ObjectNode object;
    private final Set<String> known = new HashSet<>();

    RequestFields(ObjectNode object) {
        this.object = object;
    }

    /** The field's value, or null if it is absent or JSON's null. */
    @Nullable
    JsonNode find(String name) {
        known.add(name);
        JsonNode node = object.get(name);
        return node == null || node.isNull() ? null : node;
    }

    @Nullable
    String string(String name, int maxChars) throws RecordException {
        JsonNode node = find(name);
        if (node == null) {
            return null;
        }
        if (!node.isTextual()) {
            throw wrong(name, "a string", node);
        }
        if (node.textValue().length() > maxChars) {
            throw invalid(name + " must have at most " + maxChars + " characters, got "
                    + node.textValue().length());
        }
        return node.textValue();
    }

    boolean bool(String name, boolean defaultValue) throws RecordException {
        JsonNode node = find(name);
        if (node == null) {
            return defaultValue;
        }
        if (!node.isBoolean()) {
            throw wrong(name, "true or false", node);
        }
        return node.booleanValue();
    }

    /** A number in {@code [least, most]}; {@code allowed} says so in words. */
    float number(String name, float defaultValue, double least, double most, String allowed) throws RecordException {
        JsonNode node = find(name);
        if (node == null) {
            return defaultValue;
        }
        if (!node.isNumber()) {
            throw wrong(name, "a number " + allowed, node);
        }
        float value = (float) node.doubleValue();
        if (!(value >= least && value <= most)) {
            throw wrong(name, "a number " + allowed, node);
        }
        return value;
    }

    @Nullable
    Integer integer(String name, int least, int most) throws RecordException {
        JsonNode node = find(name);
        return node == null ? null : (Integer) (int) whole(name, node, least, most);
    }

    @Nullable
    Long whole(String name) throws RecordException {
        JsonNode node = find(name);
        return node == null ? null : (Long) whole(name, node, Long.MIN_VALUE, Long.MAX_VALUE);
    }

    static long whole(String name, JsonNode node, long least, long most) throws RecordException {
        // The checks come before the conversion: a decimal with a huge exponent must never become an integer.
        if (!node.isIntegralNumber()
                || !node.canConvertToLong()
                || node.longValue() < least
                || node.longValue() > most) {
            throw wrong(name, "a whole number from " + least + " to " + most, node);
        }
        return node.longValue();
    }

    @Nullable
    ObjectNode object(String name) throws RecordException {
        JsonNode node = find(name);
        if (node == null) {
            return null;
        }
        if (!(node instanceof ObjectNode found)) {
            throw wrong(name, "an object", node);
        }
        return found;
    }

    /** A list of {@code [0, maxSize]} elements, or null if the field is absent; {@code elements} says in words of what. */
    @Nullable
    ArrayNode list(String name, int maxSize, String elements) throws RecordException {
        JsonNode node = find(name);
        if (node == null) {
            return null;
        }
        if (!(node instanceof ArrayNode list) || list.size() > maxSize) {
            throw wrong(name, "a list of at most " + maxSize + " " + elements, node);
        }
        return list;
    }

    /** Token ids, or null if the field is absent. */
    int @Nullable [] tokenIds(String name, int maxSize) throws RecordException {
        ArrayNode list = list(name, maxSize, "token ids");
        return list == null ? null : tokenIds(name, list);
    }

    static int[] tokenIds(String name, ArrayNode list) throws RecordException {
        int[] ids = new int[list.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (int) whole(name + "[" + i + "]", list.get(i), 0, Integer.MAX_VALUE);
        }
        return ids;
    }

    /** Non-empty strings of at most {@code maxChars}; empty if the field is absent. */
    List<String> strings(String name, int maxSize, int maxChars) throws RecordException {
        ArrayNode list = list(name, maxSize, "strings");
        if (list == null) {
            return List.of();
        }
        List<String> strings = new ArrayList<>(list.size());
        for (int i = 0; i < list.size(); i++) {
            strings.add(nonEmpty(name + "[" + i + "]", list.get(i), maxChars));
        }
        return strings;
    }

    static String nonEmpty(String name, JsonNode node, int maxChars) throws RecordException {
        if (!node.isTextual() || node.textValue().isEmpty() || node.textValue().length() > maxChars) {
            throw wrong(name, "a string of 1 to " + maxChars + " characters", node);
        }
        return node.textValue();
    }

    /** Fields that nobody asked for, in their order. */
    List<String> unknown() {
        List<String> names = new ArrayList<>();
        for (Iterator<String> all = object.fieldNames(); all.hasNext(); ) {
            String name = all.next();
            if (!known.contains(name)) {
                names.add(name);
            }
        }
        return names;
    }

    static RecordException wrong(String name, String allowed, JsonNode got) {
        String shown = got.isNumber() || got.isBoolean() ? shorten(got.toString()) : JsonReader.describe(got);
        return invalid(name + " must be " + allowed + ", got " + shown);
    }

    static RecordException invalid(String reason) {
        return new RecordException(ErrorCode.INVALID_REQUEST, reason);
    }

    private static String shorten(String text) {
        return text.length() <= 40 ? text : text.substring(0, 40) + "...";
    }
}
