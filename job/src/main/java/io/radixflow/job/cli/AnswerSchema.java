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
import io.radixflow.job.pipeline.AnswerColumns;
import io.radixflow.job.pipeline.RowsToRequests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The JSON Schema of {@code label --schema}: one more default field of each request, and columns of the output. */
final class AnswerSchema {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FIELD = "response_format";

    private final JsonNode schema;

    private AnswerSchema(JsonNode schema) {
        this.schema = schema;
    }

    /** @throws UserException if the file can't be read, or its schema can't be enforced */
    static AnswerSchema read(Path file) {
        try {
            return new AnswerSchema(JSON.readTree(check(file, JsonStyle.DEFAULT)));
        } catch (JsonProcessingException e) {
            throw new UserException("--schema " + file + " is no JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** @param taken names of the table's other columns */
    AnswerColumns columns(Set<String> taken) {
        return SchemaColumns.of(schema, taken);
    }

    /**
     * The defaults with {@code response_format}, strict, in front of what they had.
     *
     * @throws UserException if the defaults say already what an answer must be
     */
    String addTo(@Nullable String defaults) {
        ObjectNode fields = JSON.createObjectNode();
        fields.putObject(FIELD)
                .put("type", "json_schema")
                .putObject("json_schema")
                .put("name", "answer")
                .put("strict", true)
                .set("schema", schema);
        try {
            JsonNode given = defaults == null ? JSON.createObjectNode() : JSON.readTree(defaults);
            if (!(given instanceof ObjectNode own)) {
                return String.valueOf(defaults); // refused where defaults are read
            }
            for (String grammar : RowsToRequests.GRAMMARS) {
                if (own.has(grammar)) {
                    throw new UserException("--schema and the " + grammar
                            + " of --defaults both say what an answer must be; leave one of them out");
                }
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
        String text = text(file);
        try {
            GrammarCompiler.compile(
                    new GrammarSpec(GrammarSpec.Kind.JSON_SCHEMA, text, true, style, GrammarSpec.Reasoning.NEVER));
        } catch (GrammarException e) {
            throw new UserException("--schema " + file + ": " + e.getMessage(), e);
        }
        return text;
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UserException("--schema " + file + " does not exist or cannot be read", e);
        }
    }
}
