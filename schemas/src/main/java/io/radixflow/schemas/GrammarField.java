package io.radixflow.schemas;

/**
 * What an answer must be, as the request says it.
 *
 * @param language of {@code text}
 * @param text the grammar itself, not yet compiled
 * @param isStrict as OpenAI's {@code strict}: objects that list properties have no others
 */
public record GrammarField(Language language, String text, boolean isStrict) {

    /** How a grammar is written. */
    public enum Language {
        REGEX,
        JSON_SCHEMA,
        JSON_OBJECT,
        EBNF,
        CHOICE,
        STRUCTURAL_TAG
    }
}
