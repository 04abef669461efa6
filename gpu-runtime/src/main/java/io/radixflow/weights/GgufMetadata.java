package io.radixflow.weights;

import io.radixflow.engine.EngineException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The keys and values in the header of a GGUF file, with typed access. Immutable.
 *
 * <p>Each accessor throws {@link EngineException} of category CONFIGURATION that names file and key, if the key is missing or its
 * value is of another type or out of range.
 */
public final class GgufMetadata {

    private final Path file;
    private final Map<String, GgufValue> values;

    GgufMetadata(Path file, Map<String, GgufValue> values) {
        this.file = file;
        this.values = Collections.unmodifiableMap(values);
    }

    /** All keys in the file's order. */
    public Set<String> keys() {
        return values.keySet();
    }

    public boolean has(String key) {
        return values.containsKey(key);
    }

    /** One short line for people: the value, or kind and number of an array's elements. */
    public String describe(String key) {
        GgufValue value = require(key);
        String shortForm = value.shortForm();
        return shortForm != null
                ? shortForm
                : "array of " + value.count() + " " + value.type().name().toLowerCase(Locale.ROOT);
    }

    public String string(String key) {
        String text = findString(key);
        if (text == null) {
            throw missing(key);
        }
        return text;
    }

    /** The string, or null if the key is missing. */
    public @Nullable String findString(String key) {
        GgufValue value = values.get(key);
        if (value == null) {
            return null;
        }
        if (value.isArray() || value.type() != GgufValueType.STRING) {
            throw wrongType(key, value, "a string");
        }
        return value.strings().get(0);
    }

    public int integer(String key) {
        return toInt(key, require(key));
    }

    public int integer(String key, int otherwise) {
        GgufValue value = values.get(key);
        return value == null ? otherwise : toInt(key, value);
    }

    public double number(String key) {
        GgufValue value = require(key);
        boolean isFloat = value.type() == GgufValueType.FLOAT32 || value.type() == GgufValueType.FLOAT64;
        if (value.isArray() || !(isFloat || value.type().isInteger())) {
            throw wrongType(key, value, "a number");
        }
        return value.number(0);
    }

    public double number(String key, double otherwise) {
        return has(key) ? number(key) : otherwise;
    }

    public boolean bool(String key, boolean otherwise) {
        GgufValue value = values.get(key);
        if (value == null) {
            return otherwise;
        }
        if (value.isArray() || value.type() != GgufValueType.BOOL) {
            throw wrongType(key, value, "a bool");
        }
        return value.isTrue();
    }

    public List<String> strings(String key) {
        GgufValue value = require(key);
        if (!value.isArray() || value.type() != GgufValueType.STRING) {
            throw wrongType(key, value, "an array of strings");
        }
        return value.strings();
    }

    /** A new array; the elements must fit an int. */
    public int[] integers(String key) {
        GgufValue value = require(key);
        if (!value.isArray() || !value.type().isInteger()) {
            throw wrongType(key, value, "an array of integers");
        }
        int[] numbers = new int[value.count()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = checkedInt(key, value, i);
        }
        return numbers;
    }

    /** A new array. */
    public float[] floats(String key) {
        GgufValue value = require(key);
        if (!value.isArray() || value.type() != GgufValueType.FLOAT32) {
            throw wrongType(key, value, "an array of float32");
        }
        float[] numbers = new float[value.count()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) value.number(i);
        }
        return numbers;
    }

    private int toInt(String key, GgufValue value) {
        if (value.isArray() || !value.type().isInteger()) {
            throw wrongType(key, value, "an integer");
        }
        return checkedInt(key, value, 0);
    }

    private int checkedInt(String key, GgufValue value, int i) {
        long number = value.integer(i);
        if (number != (int) number) {
            String text = value.type() == GgufValueType.UINT64 ? Long.toUnsignedString(number) : Long.toString(number);
            throw Refusals.refusal(
                    file,
                    "has " + text + " in metadata key " + Refusals.quoted(key)
                            + ", which is out of range; fetch or convert it again");
        }
        return (int) number;
    }

    private GgufValue require(String key) {
        GgufValue value = values.get(key);
        if (value == null) {
            throw missing(key);
        }
        return value;
    }

    private EngineException missing(String key) {
        return Refusals.refusal(
                file, "lacks metadata key " + Refusals.quoted(key) + "; fetch or convert the model again");
    }

    private EngineException wrongType(String key, GgufValue value, String wanted) {
        String found =
                (value.isArray() ? "array of " : "") + value.type().name().toLowerCase(Locale.ROOT);
        return Refusals.refusal(
                file,
                "has " + found + " in metadata key " + Refusals.quoted(key) + " where " + wanted
                        + " belongs; fetch or convert the model again");
    }
}
