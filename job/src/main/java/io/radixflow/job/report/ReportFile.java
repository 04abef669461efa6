package io.radixflow.job.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.job.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.TreeMap;

/** Result files: JSON in which an engine's figures stand under the same keys whoever measured it (bench/README.md). */
public final class ReportFile {

    public static final String FORMAT = "radixflow-bench/1";

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private ReportFile() {}

    public static void write(BenchReport report, Path file) throws IOException {
        Files.writeString(file, MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(tree(report)) + "\n");
    }

    private static ObjectNode tree(BenchReport report) {
        ObjectNode root = begin(FORMAT, report.engine());
        root.put("workload", report.workload());
        root.put("date", report.date());
        root.put("command", report.command());
        root.put("machine", report.machine());
        putOptions(root, report.options());
        ArrayNode items = root.putArray("items");
        for (BenchReport.Item item : report.items()) {
            items.add(tree(item));
        }
        return root;
    }

    /** What every report begins with. */
    static ObjectNode begin(String format, BenchReport.Subject engine) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("format", format);
        root.putObject("engine")
                .put("name", engine.name())
                .put("version", engine.version())
                .put("model", engine.model())
                .put("device", engine.device())
                .put("simulated", engine.isSimulated());
        return root;
    }

    static void putOptions(ObjectNode root, Map<String, String> values) {
        ObjectNode options = root.putObject("options");
        new TreeMap<>(values).forEach(options::put);
    }

    private static ObjectNode tree(BenchReport.Item item) {
        ObjectNode node = MAPPER.createObjectNode();
        node.put("name", item.name()).put("title", item.title());
        node.set("median", tree(item.median()));
        ArrayNode repeats = node.putArray("repeats");
        item.repeats().forEach(repeat -> repeats.add(tree(repeat)));
        BenchReport.Curves curves = item.curves();
        if (curves != null) {
            ObjectNode percentiles = node.putObject("percentiles");
            curves.percentiles().forEach((name, values) -> percentiles.set(name, tree(values)));
            ObjectNode rates = node.putObject("rates");
            rates.put("seconds", rounded(curves.seconds()));
            rates.set("output", tree(curves.outputRates()));
            rates.set("prompt", tree(curves.promptRates()));
        }
        return node;
    }

    private static ObjectNode tree(Map<String, Double> figures) {
        ObjectNode node = MAPPER.createObjectNode();
        figures.forEach((key, value) -> put(node, key, value));
        return node;
    }

    static void put(ObjectNode node, String key, double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            node.put(key, (long) value);
        } else {
            node.put(key, rounded(value));
        }
    }

    private static ArrayNode tree(double[] values) {
        ArrayNode node = MAPPER.createArrayNode();
        for (double value : values) {
            node.add(rounded(value));
        }
        return node;
    }

    /** To six significant digits: what a clock gives is no finer. */
    static double rounded(double value) {
        if (value == 0 || Double.isNaN(value) || Double.isInfinite(value)) {
            return 0;
        }
        double unit = Math.pow(10, Math.ceil(Math.log10(Math.abs(value))) - 6);
        return unit >= 1 ? Math.rint(value) : Math.rint(value / unit) / Math.rint(1 / unit);
    }

    /** @throws UserException naming the file and what it lacks */
    public static BenchReport read(Path file) {
        JsonNode root = parse(file);
        if (!FORMAT.equals(root.path("format").textValue())) {
            throw refusal(file, "needs \"format\": \"" + FORMAT + "\"");
        }
        JsonNode engine = root.path("engine");
        BenchReport.Subject subject = new BenchReport.Subject(
                text(file, engine, "name"),
                text(file, engine, "version"),
                text(file, engine, "model"),
                text(file, engine, "device"),
                engine.path("simulated").booleanValue());
        List<BenchReport.Item> items = new ArrayList<>();
        for (JsonNode item : root.path("items")) {
            String name = text(file, item, "name");
            items.add(
                    new BenchReport.Item(name, text(file, item, "title"), figures(file, name, item), List.of(), null));
        }
        if (items.isEmpty()) {
            throw refusal(file, "has no 'items'");
        }
        return new BenchReport(
                subject, root.path("workload").asText(), root.path("date").asText(), "", "", Map.of(), items);
    }

    private static JsonNode parse(Path file) {
        try {
            return MAPPER.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw refusal(file, "is no JSON text: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw refusal(file, "can't be read; give a result file such as those in bench/peers");
        }
    }

    private static String text(Path file, JsonNode parent, String field) {
        String text = parent.path(field).textValue();
        if (text == null || text.isBlank()) {
            throw refusal(file, "needs a text in '" + field + "'");
        }
        return text;
    }

    private static Map<String, Double> figures(Path file, String item, JsonNode node) {
        Map<String, Double> figures = new LinkedHashMap<>();
        for (Entry<String, JsonNode> field : node.path("median").properties()) {
            if (!field.getValue().isNumber()) {
                throw refusal(file, "needs a number in '" + field.getKey() + "' of item '" + item + "'");
            }
            figures.put(field.getKey(), field.getValue().doubleValue());
        }
        return figures;
    }

    private static UserException refusal(Path file, String what) {
        return new UserException("result file " + file + " " + what);
    }
}
