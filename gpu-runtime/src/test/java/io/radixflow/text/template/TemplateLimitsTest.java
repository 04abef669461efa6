package io.radixflow.text.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.text.ChatTemplate;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No template hangs, fills memory or overflows the stack: each of these ends in one line that names the place. */
class TemplateLimitsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int SMALL_STACK_BYTES = 512 << 10;
    private static final Limits TENTH_OF_THE_WORK =
            new Limits(Limits.DEFAULT.outputChars(), Limits.DEFAULT.work() / 10, Limits.DEFAULT.depth());

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
                "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|tojson }}",
                "{% set ns = namespace(s=[1], t=[1]) %}{% for i in range(64) %}{% set ns.s = [ns.s, ns.s] %}"
                        + "{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(9999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}",
                "{% set ns = namespace(s=[1], t=[1]) %}{% for i in range(9999) %}{% set ns.s = [ns.s] %}{% set ns.t = [ns.t] %}"
                        + "{% endfor %}{{ ns.s < ns.t }}",
                "{% set xs = [] %}{% set _ = xs.append(xs) %}{{ xs }}",
                "{% set xs = [] %}{% set _ = xs.append(xs) %}{{ xs|tojson }}",
                "{% set xs = [] %}{% set ys = [] %}{% set _ = xs.append(ys) %}{% set _ = ys.append(xs) %}{{ xs == ys }}",
                "{{ 'a' * 10 ** 12 }}",
                "{{ [1] * 10 ** 12 }}",
                "{{ [''] * 10 ** 18 }}",
                "{{ '%999999999d' % 1 }}",
                "{{ '%.999999999f' % 1 }}",
                "{{ '{:999999999}'.format(1) }}",
                "{{ 'a\nb'|indent(10 ** 12) }}",
                "{{ ('\n' * 100000)|indent(100000, blank=true) }}",
                "{{ [1]|tojson(indent=10 ** 12) }}",
                "{{ 'a'|center(10 ** 12) }}",
                "{{ 'a'.zfill(2 ** 31 - 1) }}",
                "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
                "{{ ('a' * 100000).replace('', 'b' * 100000) }}",
                "{{ ('b' * 100000).join('a' * 100000) }}",
                "{{ range(99999)|join('b' * 100000) }}",
                "{{ [1]|batch(10 ** 9, 'x')|list }}",
                "{% set a = 'a' * 10000000 %}{{ ('a' * 1000000 ~ 'b') in a }}",
                "{% set a = 'a' * 10000000 %}{{ a.split('a' * 100000 ~ 'b') }}",
                "{% set a = 'a' * 1000000 %}{% for i in range(99999) %}{% if a.upper() %}{% endif %}{% endfor %}",
                "{% set a = 'a' * 1000000 %}{% for i in range(99999) %}{{ a|length }}{% endfor %}",
                "{% set a = range(99999)|list %}{% for i in range(99999) %}{{ 'x' if -1 in a }}{% endfor %}",
                "{% set a = range(99999)|list %}{% for i in range(99999) %}{% set b = a|sort %}{% endfor %}",
                "{% set a = [] %}{% for i in range(99999) %}{% for j in range(99999) %}{% set _ = a.append(j) %}{% endfor %}{% endfor %}",
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% macro m(a=m()) %}{% endmacro %}{{ m() }}",
                "{% macro m(n) %}{% for i in range(2) %}{{ m(n) }}{% endfor %}{% endmacro %}{{ m(1) }}",
                "{% macro m() %}{{ caller() }}{% endmacro %}{% macro k() %}{% call m() %}{{ k() }}{% endcall %}{% endmacro %}{{ k() }}",
                "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
                "{% set t = 'x' * 100000 %}{{ range(99999)|list|tojson(separators=(t, ':')) }}",
                "{{ (['a' * 1000000] * 1000)|tojson }}",
                "{{ ['a' * 1000000] * 1000 }}",
                "{{ ('a' * 30000000)|list|length }}",
                "{{ (['a' * 1000000] * 99999)|unique|list }}",
                "{{ (['A' * 1000000, 'b' * 1000000] * 9999)|sort|length }}",
                "{% set t = (1,) * 1000 %}{% set t = (t,) * 1000 %}{% set t = (t,) * 1000 %}{{ {t: 1} }}",
                "{% set t = '\u4e2d' * 1000000 %}{% for i in range(99999) %}{% for j in range(99999) %}{{ '' if t }}{% endfor %}{% endfor %}",
                "{% set t = '\u4e2d' * 1000000 %}{% for i in range(99999) %}{% for j in range(99999) %}{{ '%.1s' % t }}{% endfor %}{% endfor %}",
                "{% set t = 'a' * 1000000 %}{% for i in range(99999) %}{% for j in range(99999) %}{{ messages[t] }}{% endfor %}{% endfor %}",
                "{% set t = 'a.' * 1000000 %}{% for i in range(99999) %}{{ messages|sort(attribute=t) }}{% endfor %}",
                "{% set t = '%Y' * 1000000 %}{% for i in range(99999) %}{% set s = strftime_now(t) %}{% endfor %}",
                "{% for i in range(99999) %}{% for j in range(99999) %}{{ '' if range(99999) == range(99999) }}{% endfor %}{% endfor %}",
                "{% set t = 'a' * 1000000 %}{% for i in range(99999) %}{{ '' if t is upper }}{% endfor %}",
                "{{ 9223372036854775807 + 1 }}",
                "{{ -9223372036854775807 - 2 }}",
                "{{ 3037000500 * 3037000500 }}",
                "{{ 2 ** 64 }}",
                "{{ '99999999999999999999'|int }}",
                "{{ 1e300|int }}",
                "{{ 99999999999999999999 }}",
            })
    void refusesWorkBeyondItsLimits(String template) {
        assertRefused(template);
    }

    @Test
    void refusesNestingThatWouldOverflowTheStack() {
        int many = 5_000;
        List<String> templates = List.of(
                "{{ " + "(".repeat(many) + "1" + ")".repeat(many) + " }}",
                "{{ " + "[".repeat(many) + "]".repeat(many) + " }}",
                "{{ " + "{1:".repeat(many) + "1" + "}".repeat(many) + " }}",
                "{{ " + "not ".repeat(many) + "1 }}",
                "{{ " + "- ".repeat(many) + "1 }}",
                "{{ " + "x[".repeat(many) + "1" + "]".repeat(many) + " }}",
                "{{ " + "range(".repeat(many) + "1" + ")".repeat(many) + " }}",
                "{{ 1" + " if 1 else 1".repeat(many) + " }}",
                "{{ 1" + " + 1".repeat(many) + " }}",
                "{{ 1" + " and 1".repeat(many) + " }}",
                "{{ 'a'" + "|upper".repeat(many) + " }}",
                "{{ 'a'" + ".upper()".repeat(many) + " }}",
                "{{ 1" + "0".repeat(many) + " }}",
                "{{ 1" + "_0".repeat(many) + ".5 }}",
                "{% if 1 %}".repeat(many) + "{% endif %}".repeat(many),
                "{% for i in [1] %}".repeat(many) + "{% endfor %}".repeat(many),
                "{% for " + "(".repeat(many) + "a" + ")".repeat(many) + " in x %}{% endfor %}",
                "{% set a %}".repeat(many) + "{% endset %}".repeat(many),
                "{% macro m() %}".repeat(many) + "{% endmacro %}".repeat(many),
                "{% filter " + "upper|".repeat(many) + " %}",
                "x".repeat(Limits.SOURCE_CHARS + 1));
        templates.forEach(TemplateLimitsTest::assertRefused);
    }

    @Test
    void endsTheLongestWorkSoon() {
        ChatTemplate template =
                ChatTemplate.parse("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}");
        Assertions.assertTimeoutPreemptively(
                PATIENCE,
                () -> assertThatThrownBy(() -> template.render(Map.of()))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage(
                                "chat template line 1, for: the template does more work than the limit of 100000000 units"));
    }

    /** The JDK's change of case is quadratic in these letters. */
    @Test
    void changesTheCaseOfLettersThatBecomeTwo() {
        String template = "{{ s.upper()|length }} {{ i.lower()|length }} {{ i.capitalize()|length }} {{ i|int }}";
        Map<String, String> letters = Map.of("s", "\u00df".repeat(1_000_000), "i", "\u0130".repeat(1_000_000));
        Assertions.assertTimeoutPreemptively(
                PATIENCE,
                () -> assertThat(ChatTemplate.parse(template).render(letters)).isEqualTo("2000000 2000000 1999999 0"));
        assertThat(ChatTemplate.parse("{{ t.upper() }}")
                        .render(Map.of("t", "\u00df\ud83d\ude00\ufb03\u1fb7".repeat(200))))
                .isEqualTo("SS\ud83d\ude00FFI\u0391\u0342\u0399".repeat(200));
    }

    @Test
    void takesLongFlatTemplates() {
        String flat = "{% if n == 1 %}a" + "{% elif n == 2 %}b".repeat(3000) + "{% endif %}" + "{{ n }}".repeat(3000)
                + "{{ 'a'" + " ~ n".repeat(3000) + " }}";
        assertThat(ChatTemplate.parse(flat).render(Map.of("n", 3)))
                .isEqualTo("3".repeat(3000) + "a" + "3".repeat(3000));
    }

    @Test
    void rendersAConversationOfMillionsOfCharacters() {
        List<Map<String, String>> messages = new ArrayList<>();
        for (int i = 0; i < 4000; i++) {
            messages.add(Map.of("role", i % 2 == 0 ? "user" : "assistant", "content", "text ".repeat(400)));
        }
        String template =
                "{% for m in messages %}<{{ m.role }}>{{ m['content'].split('</think>')[-1].strip() | trim }}\n{% endfor %}";
        assertThat(ChatTemplate.parse(template).render(Map.of("messages", messages)))
                .hasSizeGreaterThan(7_000_000);
    }

    @Test
    void refusesVariablesThatContainThemselves() {
        List<Object> cycle = new ArrayList<>();
        cycle.add(cycle);
        ChatTemplate template = ChatTemplate.parse("x");
        assertThatThrownBy(() -> template.render(Map.of("deep", cycle)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("chat template variable 'deep': nested deeper than the limit of 200");
    }

    /** On a thread with little stack, so that depth limits which are too wide show. */
    private static void assertRefused(String template) {
        List<Throwable> thrown = new ArrayList<>();
        Runnable render = () -> {
            try {
                thrown.add(new AssertionError("rendered "
                        + Template.parse(template, Clock.systemUTC(), TENTH_OF_THE_WORK)
                                .render(Map.of("x", 1))
                                .length() + " characters"));
            } catch (IllegalArgumentException | StackOverflowError | OutOfMemoryError e) {
                thrown.add(e);
            }
        };
        Thread thread = new Thread(null, render, "small stack", SMALL_STACK_BYTES);
        Assertions.assertTimeoutPreemptively(PATIENCE, () -> {
            thread.start();
            thread.join();
        });
        String shown = template.substring(0, Math.min(80, template.length()));
        assertThat(thrown.get(0)).as(shown).isInstanceOf(IllegalArgumentException.class);
        assertThat(thrown.get(0).getMessage()).as(shown).matches("chat template line \\d+, [^\n]+: [^\n]+");
    }
}
