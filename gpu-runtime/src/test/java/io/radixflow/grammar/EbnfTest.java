package io.radixflow.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.GrammarSpec.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EbnfTest {

    private static CompiledGrammar compile(Kind kind, String text) {
        return GrammarCompiler.compile(GrammarSpec.of(kind, text));
    }

    @Test
    void readsTheNotationOfGbnf() {
        CompiledGrammar grammar = compile(Kind.EBNF, """
                # arithmetic
                root  ::= expr "=" num{1,3} ws   # the whole
                expr ::= term ([-+*/] term)*
                term ::= num | "(" expr ")"
                  | "\\u00e9\\x41"
                num ::= [0-9]+
                ws ::= [ \\t\\n]?
                """);
        assertThat(Vocabularies.accepts(grammar, "(1+2)*3=9")).isTrue();
        assertThat(Vocabularies.accepts(grammar, "((((1))))-éA=12\n")).isTrue();
        assertThat(Vocabularies.accepts(grammar, "(1+2*3=9")).isFalse();
        assertThat(Vocabularies.accepts(grammar, "1=")).isFalse();
    }

    @Test
    void countsLongRepetitions() {
        CompiledGrammar grammar = compile(Kind.EBNF, "root ::= (\"a\" | \"é\"){3,100000} \"!\"");
        assertThat(Vocabularies.accepts(grammar, "aéa!")).isTrue();
        assertThat(Vocabularies.accepts(grammar, "aa!")).isFalse();
        assertThat(Vocabularies.accepts(grammar, "a".repeat(100_000) + "!")).isTrue();
        assertThat(Vocabularies.accepts(grammar, "a".repeat(100_001) + "!")).isFalse();
    }

    @Test
    void ambiguityIsFollowed() {
        CompiledGrammar grammar = compile(Kind.EBNF, "root ::= s\ns ::= \"a\" | \"(\" s s \")\" | \"(\" s \")\"");
        assertThat(Vocabularies.accepts(grammar, "((aa)(a))")).isTrue();
        assertThat(Vocabularies.accepts(grammar, "(aaa)")).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "a ::= \"b\"; no rule root",
                "root ::= b; rule b is not defined in line 1",
                "root ::= \"a; a closing quote is missing",
                "root ::= [a; ] is missing",
                "root ::= (\"a\"; ) is missing",
                "root ::= \"a\")  ; ')' is unexpected",
                "root ::= \"a\"{2,1}; out of order",
                "root ::= \"a\"{99999999}; above",
                "root ::= root \"a\" | \"b\"; left recursion: rule root",
                "root ::= a \"x\" | \"c\" a ::= \"b\"? root; left recursion",
                "root ::= \"\\q\"; escape \\q",
                "root ::= root; nothing can match",
                "root = \"a\"; ::= is missing",
                "root ::= \"a\" root ::= \"b\"; defined twice",
            })
    void refusesWithTheLine(String grammar, String message) {
        assertThatThrownBy(() -> compile(Kind.EBNF, grammar))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining(message);
    }

    @Test
    void choicesAreExactlyThoseListed() {
        CompiledGrammar grammar = compile(Kind.CHOICE, "[\"positive\",\"pos\",\"négative\"]");
        assertThat(Vocabularies.accepts(grammar, "pos")).isTrue();
        assertThat(Vocabularies.accepts(grammar, "négative")).isTrue();
        assertThat(Vocabularies.accepts(grammar, "posi")).isFalse();
        assertThatThrownBy(() -> compile(Kind.CHOICE, "[]")).hasMessageContaining("at least one");
        assertThatThrownBy(() -> compile(Kind.CHOICE, "[1]")).hasMessageContaining("strings");
    }

    @Test
    void theGrammarBeginsBehindTheReasoning() {
        GrammarSpec spec = GrammarSpec.of(Kind.REGEX, "[0-9]+");
        CompiledGrammar always = GrammarCompiler.compile(
                new GrammarSpec(spec.kind(), spec.text(), false, spec.json(), GrammarSpec.Reasoning.ALWAYS));
        assertThat(Vocabularies.accepts(always, "<think>\nhm </thi</think>\n\n12"))
                .isTrue();
        assertThat(Vocabularies.accepts(always, "hm</think>12")).isTrue();
        assertThat(Vocabularies.accepts(always, "12")).isFalse();
        assertThat(Vocabularies.accepts(always, "a</think>b</think>12")).isFalse();
        CompiledGrammar tagged = GrammarCompiler.compile(
                new GrammarSpec(spec.kind(), spec.text(), false, spec.json(), GrammarSpec.Reasoning.IF_TAGGED));
        assertThat(Vocabularies.accepts(tagged, "12")).isTrue();
        assertThat(Vocabularies.accepts(tagged, "<think>x</think>12")).isTrue();
        assertThat(Vocabularies.accepts(tagged, "x</think>12")).isFalse();
    }

    @Test
    void structuralTagsConstrainOnlyWhatTriggersBegin() {
        CompiledGrammar grammar = compile(Kind.STRUCTURAL_TAG, """
                {"triggers":["<f="],"structures":[
                  {"begin":"<f=a>","schema":{"type":"integer"},"end":"</f>"},
                  {"begin":"<f=b>","schema":{"type":"null"},"end":"</f>"}]}""");
        assertThat(Vocabularies.accepts(grammar, "free < text <<f")).isTrue();
        assertThat(Vocabularies.accepts(grammar, "x <f=a>12</f> y <<f=b>null</f>"))
                .isTrue();
        assertThat(Vocabularies.accepts(grammar, "x <f=a>null</f>")).isFalse();
        assertThat(Vocabularies.accepts(grammar, "x <f=c>1</f>")).isFalse();
        assertThat(Vocabularies.accepts(grammar, "x <f=a>12")).isFalse();
        assertThatThrownBy(() -> compile(
                        Kind.STRUCTURAL_TAG,
                        "{\"triggers\":[\"<g\"],\"structures\":[{\"begin\":\"<f\",\"end\":\"\"}]}"))
                .hasMessageContaining("no structure begins with the trigger <g");
    }
}
