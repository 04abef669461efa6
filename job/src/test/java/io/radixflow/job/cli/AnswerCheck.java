package io.radixflow.job.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How many of the answers that {@code label} wrote as JSONL are JSON, and how many are instances of a schema, as networknt's
 * validator sees it. A plain main: the schema's file, then folders of answers.
 */
final class AnswerCheck {

    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final Pattern FENCE = Pattern.compile("```(?:json)?\\s*\\n(.*?)```", Pattern.DOTALL);

    private final JsonSchema schema;
    private int numRows;
    private int numStopped;
    private int numParsed;
    private int numValid;
    private int numParsedInFence;
    private int numValidInFence;

    AnswerCheck(String schemaText) {
        schema = JsonSchemaFactory.getInstance(VersionFlag.V202012).getSchema(schemaText);
    }

    public static void main(String[] arguments) throws IOException {
        for (String folder : List.of(arguments).subList(1, arguments.length)) {
            AnswerCheck check = new AnswerCheck(Files.readString(Path.of(arguments[0])));
            try (Stream<Path> files = Files.list(Path.of(folder))) {
                for (Path file : files.filter(path -> isAnswers(path)).toList()) {
                    for (String line : Files.readAllLines(file)) {
                        check.add(JSON.readTree(line).path("choices").path(0));
                    }
                }
            }
            System.out.println(folder + ": " + check);
        }
    }

    private static boolean isAnswers(Path file) {
        String name = String.valueOf(file.getFileName());
        return name.startsWith("answers") && name.endsWith(".jsonl");
    }

    private void add(JsonNode choice) {
        String text = choice.path("message").path("content").asText();
        numRows++;
        numStopped += choice.path("finish_reason").asText().equals("stop") ? 1 : 0;
        numParsed += parse(text) == null ? 0 : 1;
        numValid += isValid(text) ? 1 : 0;
        Matcher fence = FENCE.matcher(text);
        String inFence = fence.find() ? fence.group(1) : text;
        numParsedInFence += parse(inFence) == null ? 0 : 1;
        numValidInFence += isValid(inFence) ? 1 : 0;
    }

    private static @Nullable JsonNode parse(String text) {
        try {
            JsonNode value = JSON.readTree(text);
            return value.isMissingNode() ? null : value;
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    /** Whether a text is JSON and an instance of the schema. */
    boolean isValid(String text) {
        JsonNode value = parse(text);
        return value != null && schema.validate(value).isEmpty();
    }

    @Override
    public String toString() {
        return numRows + " answers, " + numStopped + " ended with stop; " + numParsed + " are JSON, " + numValid
                + " instances; taken out of a code fence " + numParsedInFence + " and " + numValidInFence;
    }
}
