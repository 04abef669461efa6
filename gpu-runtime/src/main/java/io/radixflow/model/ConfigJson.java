package io.radixflow.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.engine.EngineException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object that describes a model, with typed access. A field that is null counts as missing.
 *
 * <p>Accessors throw {@link EngineException} of category CONFIGURATION, one line that names where the object comes from and the field. Owned
 * by the thread that reads a configuration.
 */
final class ConfigJson {

    private static final long MAX_BYTES = 1 << 26;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final String origin;
    private final String prefix;
    private final ObjectNode node;

    private ConfigJson(String origin, String prefix, ObjectNode node) {
        this.origin = origin;
        this.prefix = prefix;
        this.node = node;
    }

    static ConfigJson read(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new EngineException(
                        EngineException.Category.CONFIGURATION,
                        file + " has " + Files.size(file) + " bytes, which no configuration has; fetch it again");
            }
            return parse(new String(Files.readAllBytes(file), StandardCharsets.UTF_8), file.toString());
        } catch (NoSuchFileException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION, file + " doesn't exist; fetch the model again", e);
        } catch (IOException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    file + " can't be read (" + e + "); check its permissions",
                    e);
        }
    }

    /** @param origin what to call it in messages */
    static ConfigJson parse(String text, String origin) {
        JsonNode root;
        try {
            root = MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    origin + " is no JSON: " + e.getOriginalMessage().replace('\n', ' '),
                    e);
        }
        if (!(root instanceof ObjectNode object)) {
            throw new EngineException(EngineException.Category.CONFIGURATION, origin + " is no JSON object");
        }
        return new ConfigJson(origin, "", object);
    }

    static ConfigJson empty(String origin) {
        return new ConfigJson(origin, "", MAPPER.createObjectNode());
    }

    /** The object itself: writing it writes this. */
    ObjectNode node() {
        return node;
    }

    /** Whether the field is there, be it null. */
    boolean mentions(String field) {
        return node.has(field);
    }

    boolean has(String field) {
        return node.hasNonNull(field);
    }

    List<String> fields() {
        List<String> fields = new ArrayList<>();
        node.fieldNames().forEachRemaining(fields::add);
        return fields;
    }

    int positive(String field) {
        JsonNode value = require(field);
        if (!value.canConvertToExactIntegral() || !value.canConvertToInt() || value.intValue() < 1) {
            throw wrong(field, value, "a positive whole number");
        }
        return value.intValue();
    }

    int positive(String field, int otherwise) {
        return has(field) ? positive(field) : otherwise;
    }

    double number(String field) {
        JsonNode value = require(field);
        if (!value.isNumber()) {
            throw wrong(field, value, "a number");
        }
        return value.doubleValue();
    }

    double number(String field, double otherwise) {
        return has(field) ? number(field) : otherwise;
    }

    boolean bool(String field, boolean otherwise) {
        if (!has(field)) {
            return otherwise;
        }
        JsonNode value = require(field);
        if (!value.isBoolean()) {
            throw wrong(field, value, "true or false");
        }
        return value.booleanValue();
    }

    String string(String field) {
        String text = findString(field);
        if (text == null) {
            throw missing(field);
        }
        return text;
    }

    @Nullable
    String findString(String field) {
        if (!has(field)) {
            return null;
        }
        JsonNode value = require(field);
        if (!value.isTextual()) {
            throw wrong(field, value, "a string");
        }
        return value.textValue();
    }

    @Nullable
    ConfigJson findObject(String field) {
        if (!has(field)) {
            return null;
        }
        if (!(require(field) instanceof ObjectNode object)) {
            throw wrong(field, require(field), "an object");
        }
        return new ConfigJson(origin, prefix + field + ".", object);
    }

    /** The objects of an array, or null if the field is missing or no array. */
    @Nullable
    List<ConfigJson> findObjects(String field) {
        if (!has(field) || !require(field).isArray()) {
            return null;
        }
        List<ConfigJson> objects = new ArrayList<>();
        for (JsonNode element : require(field)) {
            if (!(element instanceof ObjectNode object)) {
                throw wrong(field, element, "objects");
            }
            objects.add(new ConfigJson(origin, prefix + field + ".", object));
        }
        return objects;
    }

    /** Token ids: one number or an array of them; none if the field is missing. */
    int[] ids(String field, int vocabSize) {
        if (!has(field)) {
            return new int[0];
        }
        JsonNode value = require(field);
        int[] ids = new int[value.isArray() ? value.size() : 1];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = value.isArray() ? value.get(i) : value;
            if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0 || id.intValue() >= vocabSize) {
                throw wrong(field, id, "token ids below " + vocabSize);
            }
            ids[i] = id.intValue();
        }
        return ids;
    }

    /** To throw: {@code what} goes on from the origin's name; in one line, whatever text of the file it quotes. */
    EngineException refusal(String what) {
        String line = what.replaceAll("[\\p{Cntrl}\\s]+", " ");
        return new EngineException(EngineException.Category.CONFIGURATION, origin + " " + line);
    }

    /** To throw: the field has a value that isn't served. */
    EngineException wrong(String field, String wanted) {
        return wrong(field, require(field), wanted);
    }

    private EngineException wrong(String field, JsonNode value, String wanted) {
        String text = value.toString();
        String shown = text.length() > 80 ? text.substring(0, 80) + "..." : text;
        return refusal("has " + shown + " in " + prefix + field + " where " + wanted + " belongs");
    }

    private JsonNode require(String field) {
        JsonNode value = node.get(field);
        if (value == null || value.isNull()) {
            throw missing(field);
        }
        return value;
    }

    private EngineException missing(String field) {
        return refusal("lacks " + prefix + field);
    }
}
