package io.radixflow.job.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.JsonStyle;
import io.radixflow.grammar.GrammarCompiler;
import io.radixflow.grammar.GrammarException;
import io.radixflow.job.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The JSON Schema of {@code label --schema} as one more default field of each request. */
final class AnswerSchema {

    private static final ObjectMapper JSON = new ObjectMapper();

    private AnswerSchema() {}

    /**
     * The defaults with {@code response_format}, strict, in front of what they had.
     *
     * @throws UserException if the file can't be read, or its schema can't be enforced
     */
    static String addTo(@Nullable String defaults, Path file) {
        String text = check(file, JsonStyle.DEFAULT);
        try {
            ObjectNode fields = JSON.createObjectNode();
            fields.putObject("response_format")
                    .put("type", "json_schema")
                    .putObject("json_schema")
                    .put("name", "answer")
                    .put("strict", true)
                    .set("schema", JSON.readTree(text));
            JsonNode given = defaults == null ? JSON.createObjectNode() : JSON.readTree(defaults);
            if (!(given instanceof ObjectNode own)) {
                return String.valueOf(defaults); // refused where defaults are read
            }
            return fields.setAll(own).toString();
        } catch (JsonProcessingException e) {
            throw new UserException("--defaults takes a JSON object: " + e.getOriginalMessage(), e);
        }
    }

    /**
     * The schema, which can be enforced in the style.
     *
     * @throws UserException if not
     */
    static String check(Path file, JsonStyle style) {
        String text = read(file);
        try {
            GrammarCompiler.compile(
                    new GrammarSpec(GrammarSpec.Kind.JSON_SCHEMA, text, true, style, GrammarSpec.Reasoning.NEVER));
        } catch (GrammarException e) {
            throw new UserException("--schema " + file + ": " + e.getMessage(), e);
        }
        return text;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UserException("--schema " + file + " does not exist or cannot be read", e);
        }
    }
}
