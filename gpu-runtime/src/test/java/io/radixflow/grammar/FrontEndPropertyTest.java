package io.radixflow.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.GrammarSpec.Kind;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/**
 * Broken texts of every kind of grammar: each compiles, or is refused in a few words. A bad one is made of good ones by random cuts, copies and
 * words of its language.
 */
class FrontEndPropertyTest {

    private static final int MAX_CHANGES = 6;
    private static final int WALK_LEN = 60;

    private static final String[] SCHEMAS = {
        "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/x\"},\"b\":{\"type\":[\"string\",\"null\"],\"maxLength\":5}},"
                + "\"required\":[\"a\"],\"additionalProperties\":false,\"$defs\":{\"x\":{\"enum\":[1,\"a\",null,[2]]}}}",
        "{\"type\":\"array\",\"prefixItems\":[{\"const\":1}],\"items\":{\"pattern\":\"^a+$\"},\"minItems\":1,\"contains\":{\"minimum\":0.5},"
                + "\"maxContains\":2,\"uniqueItems\":false}",
        "{\"oneOf\":[{\"multipleOf\":3},{\"not\":{\"format\":\"date\"}}],\"if\":{\"minProperties\":1},\"then\":{\"propertyNames\":{\"maxLength\":3}},"
                + "\"dependentRequired\":{\"a\":[\"b\"]},\"patternProperties\":{\"^x\":true}}",
    };
    private static final String[] SCHEMA_WORDS = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"type\":",
        "\"$ref\":\"#\"",
        "\"allOf\":[{}]",
        "\"not\":{}",
        "-1",
        "1e9",
        "true",
        "null",
        "\"object\"",
        "\"items\":",
        "\"unevaluatedItems\":false",
        "\"$id\":\"%\"",
        "\\ud800",
        "\\",
        "999999999999",
        "0.1",
        "\"if\":false"
    };
    private static final String[] REGEXES = {
        "^(?:[a-z]{2,5}|\\d+\\.?)*$", "a(?=b)[^\\x00-\\u{1F600}]+?|\\p{L}{1,3}", "(x|(y(z*)?))(?!q).\\w\\S[\\]a-]"
    };
    private static final String[] REGEX_WORDS = {
        "(", ")", "[", "]", "{", "}", "*", "+", "?", "|", "^", "$", "\\", "\\u", "\\x", "\\p{", "(?=", "(?<a>", "(?i)",
        "{2,1}", "{1,}", "{99999}", "\\1", "\\b", "[^", "-", "\uD83D", "😀"
    };
    private static final String[] EBNFS = {
        "root ::= a (\",\" a){0,3} # end\na ::= [a-z]+ | \"(\" root \")\"",
        "root ::= \"\\u00e9\" [^\\]a-c\\x00-] . x?\nx ::= root* \"b\""
    };
    private static final String[] EBNF_WORDS = {
        "root",
        "::=",
        "\"",
        "[",
        "]",
        "(",
        ")",
        "|",
        "*",
        "+",
        "?",
        "{",
        "}",
        "{2,}",
        "#",
        "\n",
        "\\",
        "\\u",
        "\\U00110000",
        "a",
        ".",
        "^",
        "-"
    };
    private static final String[] TAGS = {
        "{\"triggers\":[\"<f\",\"<g\"],\"structures\":[{\"begin\":\"<f>\",\"schema\":{\"type\":\"null\"},\"end\":\"</f>\"},"
                + "{\"begin\":\"<g=1>\",\"end\":\"\"}]}"
    };

    @Property(tries = 600)
    void brokenSchemasCompileOrAreRefused(@ForAll long seed) {
        check(Kind.JSON_SCHEMA, SCHEMAS, SCHEMA_WORDS, seed);
    }

    @Property(tries = 600)
    void brokenRegexesCompileOrAreRefused(@ForAll long seed) {
        check(Kind.REGEX, REGEXES, REGEX_WORDS, seed);
    }

    @Property(tries = 600)
    void brokenGrammarsCompileOrAreRefused(@ForAll long seed) {
        check(Kind.EBNF, EBNFS, EBNF_WORDS, seed);
    }

    @Property(tries = 300)
    void brokenTagsCompileOrAreRefused(@ForAll long seed) {
        check(Kind.STRUCTURAL_TAG, TAGS, SCHEMA_WORDS, seed);
    }

    private static void check(Kind kind, String[] good, String[] words, long seed) {
        Random random = new Random(seed);
        String text = good[random.nextInt(good.length)];
        for (int change = random.nextInt(MAX_CHANGES); change >= 0; change--) {
            text = changed(text, words, random);
        }
        try {
            walk(GrammarCompiler.compile(GrammarSpec.of(kind, text)), random);
        } catch (GrammarException e) {
            assertThat(e).message().isNotBlank().hasSizeLessThan(400);
        } catch (RuntimeException | StackOverflowError e) {
            throw new AssertionError(text, e);
        }
    }

    private static String changed(String text, String[] words, Random random) {
        int from = random.nextInt(text.length() + 1);
        int to = from + random.nextInt(Math.min(12, text.length() - from) + 1);
        String word = words[random.nextInt(words.length)];
        return switch (random.nextInt(4)) {
            case 0 -> text.substring(0, from) + text.substring(to);
            case 1 -> text.substring(0, from) + word + text.substring(from);
            case 2 -> text.substring(0, from) + word + text.substring(to);
            default -> text.substring(0, to) + text.substring(from, to) + text.substring(to);
        };
    }

    /** Every state that a text reaches can still come to an end. */
    private static void walk(CompiledGrammar grammar, Random random) {
        LazyStates states = new LazyStates(grammar);
        MatchState state = states.start();
        for (int i = 0; i < WALK_LEN && state != MatchState.DEAD && !state.isFinal(); i++) {
            int value = random.nextInt(256);
            MatchState next = states.step(state, value);
            for (int tried = 0; tried < 256 && next == MatchState.DEAD; tried++) {
                value = (value + 1) & 0xFF;
                next = states.step(state, value);
            }
            assertThat(next).as("a dead end").isNotSameAs(MatchState.DEAD);
            state = next;
        }
    }
}
