package io.radixflow.schemas;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.schemas.GrammarField.Language;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The fields of a body that say what its answer must be: OpenAI's {@code response_format}, SGLang's, and {@code choice}. */
final class GrammarParser {

    private static final int MAX_CHARS = 1 << 20;

    private GrammarParser() {}

    /** Null if the answer may be anything. */
    static @Nullable GrammarField grammar(RequestFields fields) throws RecordException {
        List<String> names = new ArrayList<>();
        List<GrammarField> found = new ArrayList<>();
        add("response_format", responseFormat(fields), names, found);
        add("json_schema", text(fields, "json_schema", Language.JSON_SCHEMA), names, found);
        add("regex", text(fields, "regex", Language.REGEX), names, found);
        add("ebnf", text(fields, "ebnf", Language.EBNF), names, found);
        add("structural_tag", text(fields, "structural_tag", Language.STRUCTURAL_TAG), names, found);
        add("choice", choice(fields), names, found);
        if (found.size() > 1) {
            throw RequestFields.invalid(
                    names.get(0) + " and " + names.get(1) + " can't both say what the answer must be");
        }
        return found.isEmpty() ? null : found.get(0);
    }

    private static void add(String name, @Nullable GrammarField grammar, List<String> names, List<GrammarField> found) {
        if (grammar != null) {
            names.add(name);
            found.add(grammar);
        }
    }

    /** Grammars that are JSON may also come as JSON instead of a string that holds it. */
    private static @Nullable GrammarField text(RequestFields fields, String name, Language language)
            throws RecordException {
        JsonNode node = fields.find(name);
        if (node == null) {
            return null;
        }
        boolean isJson = language == Language.JSON_SCHEMA || language == Language.STRUCTURAL_TAG;
        if (isJson && (node.isObject() || node.isBoolean())) {
            return new GrammarField(language, limited(name, node.toString()), false);
        } else if (!node.isTextual()) {
            throw RequestFields.wrong(name, isJson ? "a string or an object" : "a string", node);
        }
        return new GrammarField(language, limited(name, node.textValue()), false);
    }

    private static String limited(String name, String text) throws RecordException {
        if (text.length() > MAX_CHARS) {
            throw RequestFields.invalid(name + " must have at most " + MAX_CHARS + " characters, got " + text.length());
        }
        return text;
    }

    private static @Nullable GrammarField choice(RequestFields fields) throws RecordException {
        JsonNode list = fields.list("choice", MAX_CHARS, "strings");
        return list == null ? null : new GrammarField(Language.CHOICE, limited("choice", list.toString()), false);
    }

    private static @Nullable GrammarField responseFormat(RequestFields fields) throws RecordException {
        ObjectNode format = fields.object("response_format");
        if (format == null) {
            return null;
        }
        JsonNode type = format.path("type");
        String name = type.isTextual() ? type.textValue() : "";
        return switch (name) {
            case "text" -> null;
            case "json_object" -> new GrammarField(Language.JSON_OBJECT, "", false);
            case "json_schema" -> jsonSchema(format);
            case "structural_tag" ->
                new GrammarField(Language.STRUCTURAL_TAG, limited("response_format", format.toString()), false);
            default ->
                throw RequestFields.wrong(
                        "response_format.type", "text, json_object, json_schema or structural_tag", type);
        };
    }

    private static GrammarField jsonSchema(ObjectNode format) throws RecordException {
        JsonNode named = format.path("json_schema");
        JsonNode schema = named.path("schema");
        if (!schema.isObject() && !schema.isBoolean()) {
            throw RequestFields.wrong("response_format.json_schema.schema", "an object", schema);
        }
        boolean isStrict = named.path("strict").asBoolean(false);
        return new GrammarField(
                Language.JSON_SCHEMA, limited("response_format.json_schema.schema", schema.toString()), isStrict);
    }
}
