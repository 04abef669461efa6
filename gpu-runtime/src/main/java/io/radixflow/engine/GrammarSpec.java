package io.radixflow.engine;

/**
 * What an answer must be, as the request says it; compiled when it is submitted.
 *
 * @param kind how to read {@code text}
 * @param isStrict JSON objects that list properties have no others unless the schema speaks of them
 * @param json how JSON in the answer is written
 * @param reasoning what the model may think before, free of the grammar
 */
public record GrammarSpec(Kind kind, String text, boolean isStrict, JsonStyle json, Reasoning reasoning) {

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
        return new GrammarSpec(kind, text, false, JsonStyle.DEFAULT, Reasoning.NEVER);
    }
}
