package io.radixflow.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegexTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "^a+$ ; aaa ; true",
                "^a+$ ; aab ; false",
                "b ; abc ; true",
                "(^a|b$) ; ac ; true",
                "(^a|b$) ; cb ; true",
                "(^a|b$) ; cac ; false",
                "^(?=.*[A-Z])(?=.*[0-9]).{3,5}$ ; aB1 ; true",
                "^(?=.*[A-Z])(?=.*[0-9]).{3,5}$ ; ab1 ; false",
                "^(?!foo)[a-z]+$ ; foobar ; false",
                "^(?!foo)[a-z]+$ ; barfoo ; true",
                "^\\u{1F600}$ ; 😀 ; true",
                "^\\uD83D\\uDE00$ ; 😀 ; true",
                "^[^a-z]{2}$ ; 😀é ; true",
                "^\\p{Lu}\\P{L}$ ; É1 ; true",
                "^a{,2}$ ; a{,2} ; true",
                "^(?<name>x)y$ ; xy ; true",
                "^[\\w-]+$ ; a-_9 ; true",
                "^\\S+@\\S+$ ; a@b ; true",
            })
    void findsWhatEcmaScriptFinds(String pattern, String text, boolean isMatch) {
        assertThat(RegexCompiler.anywhere(pattern, Budget.standard()).accepts(text))
                .isEqualTo(isMatch);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(",
                ")",
                "a)",
                "[",
                "[a",
                "a**",
                "*",
                "a{2,1}",
                "\\",
                "(?<=a)b",
                "(?i)a",
                "\\1",
                "a\\b",
                "[b-a]",
                "\\uD83D",
                "(?<a",
                "\\p{Foo}",
                "\\p",
                "\\xZ",
                "(?>a)",
                "a++",
                "^*",
                "[\\d-z]",
                "(a(?=b))c",
                "(?",
                "\uD83D"
            })
    void refusesWhatItCannotRead(String pattern) {
        assertThatThrownBy(() -> RegexCompiler.anywhere(pattern, Budget.standard()))
                .isInstanceOf(GrammarException.class)
                .hasMessageStartingWith("regex: ");
    }

    @Test
    void refusesHostilePatternsInBoundedTime() {
        String[] patterns = {
            "(".repeat(100_000),
            "(a|b)*a(a|b){40}",
            "a{1,1000000}",
            "(((a{1,1000}){1,1000}){1,1000}){1,1000}",
            "[^a]{0,9999999}",
            "(a?){5000}(a*)*",
            "x".repeat(2_000_000),
        };
        for (String pattern : patterns) {
            Assertions.assertTimeoutPreemptively(
                    Duration.ofSeconds(30),
                    () -> assertThatThrownBy(() -> RegexCompiler.wholeText(pattern, Budget.standard()))
                            .isInstanceOf(GrammarException.class));
        }
    }

    @Test
    void encodesEveryRangeOfCodePoints() {
        int[][] ranges = {
            {0, 0x10FFFF}, {0x7F, 0x80}, {0x7FE, 0x801}, {0xFFFE, 0x10001}, {0x1F600, 0x1F64F}, {0xD7FF, 0xE000}
        };
        for (int[] range : ranges) {
            String pattern = String.format("[\\u{%X}-\\u{%X}]", range[0], range[1]);
            Budget budget = Budget.standard();
            Rules rules = new Rules();
            int root = rules.add(
                    "root", new Expr.Automaton(Utf8.encode(RegexCompiler.wholeText(pattern, budget), budget)));
            CompiledGrammar grammar = rules.compile(root, budget);
            for (int codePoint = 0; codePoint <= 0x10FFFF; codePoint += codePoint < 0x3000 ? 1 : 61) {
                if (codePoint < 0xD800 || codePoint > 0xDFFF) {
                    assertThat(Vocabularies.accepts(grammar, Character.toString(codePoint)))
                            .as("%X", codePoint)
                            .isEqualTo(codePoint >= range[0] && codePoint <= range[1]);
                }
            }
        }
    }
}
