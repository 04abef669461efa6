package io.radixflow.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.JsonStyle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The JSON-Schema-Test-Suite: no invalid instance is ever accepted, and valid ones are accepted or their schema is refused by name.
 * CONTRIBUTING says how to fetch the suite.
 */
@Tag("soak")
class SchemaSuiteTest {

    private static final Path SUITE = Path.of(System.getProperty("radixflow.models", "models"), "json-schema-tests");

    /** Files that need documents from elsewhere, speak of remarks, or tell 1 from 1.0. */
    private static final List<String> LEFT_OUT =
            List.of("refRemote", "format.json", "vocabulary", "cross-draft", "content.json", "zeroTerminatedFloats");

    private JsonStyle style = JsonStyle.DEFAULT;
    private int accepted;
    private int rejected;
    private int refused;
    private final List<String> narrow = new ArrayList<>();
    private final List<String> wrong = new ArrayList<>();
    private final Map<String, Integer> refusals = new TreeMap<>();

    @ParameterizedTest
    @CsvSource({
        "draft2020-12,declared,25", "draft7,declared,25", "draft4,declared,25",
        "draft2020-12,any,25", "draft7,any,25", "draft4,any,25"
    })
    void neverAcceptsWhatIsInvalid(String draft, String order, int mostNarrow) throws IOException {
        style = new JsonStyle(JsonStyle.DEFAULT.spacePattern(), order.equals("any"));
        assumeThat(SUITE.resolve(draft)).as("the suite, see CONTRIBUTING").isDirectory();
        try (Stream<Path> files = Files.walk(SUITE.resolve(draft))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".json"))
                    .sorted()
                    .toList()) {
                if (LEFT_OUT.stream().noneMatch(name -> file.toString().contains(name))) {
                    runFile(file, draft);
                }
            }
        }
        System.out.printf(
                "%s, %s order: %d valid accepted, %d invalid rejected, %d in refused schemas, %d valid rejected%n",
                draft, order, accepted, rejected, refused, narrow.size());
        narrow.forEach(line -> System.out.println("  valid but rejected: " + line));
        refusals.forEach((why, count) -> System.out.println("  refused: " + count + " x " + why));
        assertThat(wrong).as("invalid instances accepted").isEmpty();
        assertThat(narrow).as("valid instances rejected").hasSizeLessThan(mostNarrow);
    }

    private void runFile(Path file, String draft) throws IOException {
        for (JsonNode group : JsonValues.parse(Files.readString(file), "suite")) {
            JsonNode schema = group.get("schema");
            if (schema instanceof ObjectNode object && !schema.has("$schema") && !draft.startsWith("draft2020")) {
                object.put("$schema", "http://json-schema.org/" + draft.replace("draft", "draft-0") + "/schema#");
            }
            CompiledGrammar grammar = null;
            boolean isImpossible = false;
            try {
                grammar = GrammarCompiler.compile(new GrammarSpec(
                        GrammarSpec.Kind.JSON_SCHEMA, schema.toString(), false, style, GrammarSpec.Reasoning.NEVER));
            } catch (GrammarException e) {
                isImpossible = String.valueOf(e.getMessage()).contains("nothing can match");
                if (!isImpossible) {
                    refused += group.get("tests").size();
                    refusals.merge(
                            file.getFileName() + ": " + e.getMessage(),
                            group.get("tests").size(),
                            Integer::sum);
                    continue;
                }
            }
            for (JsonNode test : group.get("tests")) {
                boolean isAccepted = grammar != null && new Spellings(grammar).accept(test.get("data"));
                count(
                        file.getFileName() + ": " + group.get("description") + ": " + test,
                        isAccepted,
                        test.get("valid").booleanValue());
            }
        }
    }

    private void count(String what, boolean isAccepted, boolean isValid) {
        if (isAccepted && isValid) {
            accepted++;
        } else if (isAccepted) {
            wrong.add(what);
        } else if (isValid) {
            narrow.add(what);
        } else {
            rejected++;
        }
    }
}
