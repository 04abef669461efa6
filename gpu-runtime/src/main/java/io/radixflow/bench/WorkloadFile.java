package io.radixflow.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.bench.WorkloadItem.Sampling;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.SamplingParams;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a workload file: JSON in the form of {@code bench/workloads/peers.json}, any of whose workloads may be missing. */
public final class WorkloadFile {

    private static final int MAX_COUNT = 10_000_000;
    private static final Set<String> FIELDS = Set.of(
            "version",
            "about",
            "model_shapes",
            "token_range",
            "always",
            "greedy",
            "sampled",
            "check",
            "W1",
            "W2",
            "W3",
            "W4",
            "W5",
            "W6");

    private final Path file;

    private WorkloadFile(Path file) {
        this.file = file;
    }

    /** @throws EngineException of category CONFIGURATION, one line that names file and field */
    public static Workloads read(Path path) {
        return new Workloads(spec(path));
    }

    static WorkloadSpec spec(Path path) {
        return new WorkloadFile(path).spec();
    }

    private WorkloadSpec spec() {
        JsonNode root = parse();
        if (!root.isObject()) {
            throw refusal("must be a JSON object");
        }
        for (Iterator<String> names = root.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!FIELDS.contains(name)) {
                throw refusal("has the unknown field '" + name + "'");
            }
        }
        if (!root.path("version").isInt() || root.path("version").intValue() != 1) {
            throw refusal("needs 1 in 'version'");
        }
        int[] range = ints(root, "token_range");
        if (range.length != 2 || range[0] >= range[1]) {
            throw refusal("needs two ascending token ids in 'token_range'");
        }
        return new WorkloadSpec(
                range[0],
                range[1],
                sampling(root.path("greedy"), "greedy"),
                sampling(root.path("sampled"), "sampled"),
                w1(root.get("W1")),
                w2(root.get("W2")),
                w3(root.get("W3")),
                w4(root.get("W4")),
                w5(root.get("W5")),
                w6(root.get("W6")));
    }

    private JsonNode parse() {
        try {
            return new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    "workload file " + file + " is no JSON text: " + e.getOriginalMessage(),
                    e);
        } catch (IOException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    "workload file " + file + " can't be read; give a file such as those in bench/workloads",
                    e);
        }
    }

    private WorkloadSpec.@Nullable W1 w1(@Nullable JsonNode node) {
        return node == null
                ? null
                : new WorkloadSpec.W1(ints(node, "batches"), count(node, "prompt"), count(node, "output"));
    }

    private WorkloadSpec.@Nullable W2 w2(@Nullable JsonNode node) {
        if (node == null) {
            return null;
        }
        List<WorkloadSpec.PrefillCase> cases = new ArrayList<>();
        for (JsonNode each : node.path("cases")) {
            int[] pair = ints(each, "cases");
            if (pair.length != 2) {
                throw refusal("needs pairs of requests and prompt length in 'W2.cases'");
            }
            cases.add(new WorkloadSpec.PrefillCase(pair[0], pair[1]));
        }
        return new WorkloadSpec.W2(List.copyOf(cases), count(node, "output"));
    }

    private WorkloadSpec.@Nullable W3 w3(@Nullable JsonNode node) {
        return node == null
                ? null
                : new WorkloadSpec.W3(
                        count(node, "groups"),
                        count(node, "prefix"),
                        count(node, "requests"),
                        count(node, "suffix"),
                        count(node, "output"));
    }

    private WorkloadSpec.@Nullable W4 w4(@Nullable JsonNode node) {
        if (node == null) {
            return null;
        }
        int[] promptLens = ints(node, "input_lengths");
        int[] outputLens = ints(node, "output_lengths");
        if (promptLens.length != outputLens.length) {
            throw refusal("has " + promptLens.length + " 'W4.input_lengths' and " + outputLens.length
                    + " 'W4.output_lengths'; each request needs one of both");
        }
        return new WorkloadSpec.W4(promptLens, outputLens);
    }

    private WorkloadSpec.@Nullable W5 w5(@Nullable JsonNode node) {
        return node == null
                ? null
                : new WorkloadSpec.W5(
                        count(node, "conversations"), count(node, "turns"), count(node, "user"), count(node, "output"));
    }

    private WorkloadSpec.@Nullable W6 w6(@Nullable JsonNode node) {
        return node == null
                ? null
                : new WorkloadSpec.W6(
                        count(node, "roots"),
                        count(node, "root"),
                        count(node, "groups"),
                        count(node, "group"),
                        count(node, "per_group"),
                        count(node, "suffix"),
                        count(node, "output"));
    }

    private Sampling sampling(JsonNode node, String name) {
        double temperature = node.path("temperature").asDouble(-1);
        double topP = node.path("top_p").asDouble(1);
        int topK = node.path("top_k").asInt(SamplingParams.ALL_TOKENS);
        Sampling sampling = new Sampling((float) temperature, (float) topP, topK);
        try {
            sampling.params(1, 0);
        } catch (IllegalArgumentException e) {
            throw refusal("has in '" + name + "' what can't be: " + e.getMessage());
        }
        return sampling;
    }

    private int count(JsonNode parent, String name) {
        return checked(parent.path(name), name);
    }

    private int checked(JsonNode node, String name) {
        if (!node.isInt() || node.intValue() < 1 || node.intValue() > MAX_COUNT) {
            throw refusal("needs a whole number from 1 to " + MAX_COUNT + " in '" + name + "'");
        }
        return node.intValue();
    }

    /** The list in a field of an object, or the list itself. */
    private int[] ints(JsonNode parent, String name) {
        JsonNode list = parent.isArray() ? parent : parent.path(name);
        if (!list.isArray() || list.isEmpty()) {
            throw refusal("needs a list of numbers in '" + name + "'");
        }
        int[] numbers = new int[list.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = checked(list.get(i), name);
        }
        return numbers;
    }

    private EngineException refusal(String what) {
        return new EngineException(EngineException.Category.CONFIGURATION, "workload file " + file + " " + what);
    }
}
