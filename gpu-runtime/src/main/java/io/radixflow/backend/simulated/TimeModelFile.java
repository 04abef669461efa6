package io.radixflow.backend.simulated;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/** Reads a {@link TimeModel} from JSON, with every field named that is missing, unknown or out of range. */
public final class TimeModelFile {

    private static final Set<String> TOP_FIELDS = Set.of("name", "about", "model", "step");
    private static final Set<String> MODEL_FIELDS = Set.of("name", "vocab_size", "context_length", "kv_cache_tokens");
    private static final Set<String> STEP_FIELDS = Set.of(
            "fixed_us",
            "body",
            "head",
            "corner_exponent",
            "elementwise_token_us",
            "kv_read_token_us",
            "attention_pair_us",
            "reads_shared_prefix_once");
    private static final Set<String> PRODUCT_FIELDS = Set.of("weights_us", "row_us");
    /** A step of a million tokens at this rate lasts a year, and still fits a long in nanoseconds. */
    private static final double MAX_MICROS = 1e7;

    private final Path file;

    private TimeModelFile(Path file) {
        this.file = file;
    }

    /** @throws EngineException of category CONFIGURATION, one line that names file and field */
    public static TimeModel read(Path path) {
        return new TimeModelFile(path).read();
    }

    private TimeModel read() {
        JsonNode root = object(parse(), "", TOP_FIELDS);
        texts(root.path("about"));
        JsonNode model = object(root.path("model"), "model", MODEL_FIELDS);
        JsonNode step = object(root.path("step"), "step", STEP_FIELDS);
        TimeModel.Shape shape = new TimeModel.Shape(
                text(model, "model.name"),
                count(model, "model.vocab_size"),
                count(model, "model.context_length"),
                count(model, "model.kv_cache_tokens"));
        return new TimeModel(
                text(root, "name"),
                shape,
                micros(step, "step.fixed_us"),
                product(step, "step.body"),
                product(step, "step.head"),
                number(step, "step.corner_exponent", 1, 64),
                micros(step, "step.elementwise_token_us"),
                micros(step, "step.kv_read_token_us"),
                micros(step, "step.attention_pair_us"),
                flag(step, "step.reads_shared_prefix_once"));
    }

    private JsonNode parse() {
        try {
            return new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    "time model " + file + " is no JSON text: " + e.getOriginalMessage(),
                    e);
        } catch (IOException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    "time model " + file
                            + " can't be read; give --time-model a file such as those in bench/time-models",
                    e);
        }
    }

    private JsonNode object(JsonNode node, String name, Set<String> fields) {
        if (!node.isObject()) {
            throw refusal(name.isEmpty() ? "must be a JSON object" : "needs the object '" + name + "'");
        }
        for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
            String field = names.next();
            if (!fields.contains(field)) {
                throw refusal("has the unknown field '" + (name.isEmpty() ? "" : name + ".") + field + "'");
            }
        }
        return node;
    }

    /** Remarks for people: a list of texts. */
    private void texts(JsonNode about) {
        boolean isTexts = about.isMissingNode() || about.isArray();
        for (JsonNode line : about) {
            isTexts &= line.isTextual();
        }
        if (!isTexts) {
            throw refusal("needs a list of texts in 'about'");
        }
    }

    private TimeModel.Product product(JsonNode step, String name) {
        JsonNode node = object(field(step, name), name, PRODUCT_FIELDS);
        return new TimeModel.Product(micros(node, name + ".weights_us"), micros(node, name + ".row_us"));
    }

    private String text(JsonNode parent, String name) {
        JsonNode node = field(parent, name);
        if (!node.isTextual() || node.textValue().isBlank()) {
            throw refusal("needs a text in '" + name + "'");
        }
        return node.textValue();
    }

    private int count(JsonNode parent, String name) {
        JsonNode node = field(parent, name);
        if (!node.isInt() || node.intValue() < 1) {
            throw refusal("needs a whole number of at least 1 in '" + name + "'");
        }
        return node.intValue();
    }

    private double micros(JsonNode parent, String name) {
        return number(parent, name, 0, MAX_MICROS);
    }

    private double number(JsonNode parent, String name, double least, double most) {
        JsonNode node = field(parent, name);
        double value = node.isNumber() ? node.doubleValue() : Double.NaN;
        if (!(value >= least && value <= most)) {
            throw refusal("needs a number from " + least + " to " + most + " in '" + name + "'");
        }
        return value;
    }

    private boolean flag(JsonNode parent, String name) {
        JsonNode node = field(parent, name);
        if (!node.isBoolean()) {
            throw refusal("needs true or false in '" + name + "'");
        }
        return node.booleanValue();
    }

    private static JsonNode field(JsonNode parent, String name) {
        List<String> path = List.of(name.split("\\."));
        return parent.path(path.get(path.size() - 1));
    }

    private EngineException refusal(String what) {
        return new EngineException(EngineException.Category.CONFIGURATION, "time model " + file + " " + what);
    }
}
