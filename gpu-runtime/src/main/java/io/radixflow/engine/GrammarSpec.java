package io.radixflow.engine;

/**
 * What an answer must be, as the request says it; compiled when it is submitted.
 *
 * @param kind how to read {@code text}
 * @param isStrict JSON objects that list properties have no others unless the schema speaks of them
 * @param spacePattern regular expression of what may stand between tokens of JSON
 * @param reasoning what the model may think before, free of the grammar
 */
public record GrammarSpec(Kind kind, String text, boolean isStrict, String spacePattern, Reasoning reasoning) {

    /** At most one, so that a model which loves space still comes to an end. */
    public static final String DEFAULT_SPACE = "[ \\t\\n\\r]?";

    /** The languages of grammars. */
    public enum Kind {
        REGEX,
        JSON_SCHEMA,
        /** Any JSON object; the text is empty. */
        JSON_OBJECT,
        EBNF,
        /** One of a JSON list of strings. */
        CHOICE,
        /** JSON: structures, each with begin, schema and end, and triggers. */
        STRUCTURAL_TAG
    }

    /** Whether the text begins with reasoning that ends with {@code </think>}. */
    public enum Reasoning {
        NEVER,
        /** If it begins with {@code <think>}. */
        IF_TAGGED,
        ALWAYS
    }

    public static GrammarSpec of(Kind kind, String text) {
        return new GrammarSpec(kind, text, false, DEFAULT_SPACE, Reasoning.NEVER);
    }
}
