package io.radixflow.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class ChatTemplateTest {

    private static String render(String template, Map<String, ?> variables) {
        return ChatTemplate.parse(template).render(variables);
    }

    @Test
    void leavesTemplateCodeInUserTextAlone() {
        String code = "{{ 7 * 7 }}{% for i in range(9) %}x{% endfor %}{# gone #}{% raw %}{{ raise_exception('no') }}";
        String template =
                "{% set c = text %}{% macro m(t) %}{{ t }}{% endmacro %}{{ text }}|{{ m(c) }}|{{ [c] | join }}|{% filter trim %}{{ c }}{% endfilter %}";
        assertThat(render(template, Map.of("text", code))).isEqualTo(String.join("|", code, code, code, code));
    }

    @Test
    void namesLineAndConstructOfAFailure() {
        assertRefused("a\nb\n{{ x.y }}", "chat template line 3, attribute 'y': 'x' is undefined");
        assertRefused("\n\n{% if yes %}\n", "chat template line 3, if: missing '{% endif %}'");
        assertRefused("\n{{ 1 | nosuch }}", "chat template line 2, filter 'nosuch': unknown filter 'nosuch'");
        assertRefused("{{ 1 is nosuch }}", "chat template line 1, test 'nosuch': unknown test 'nosuch'");
        assertRefused("{% nosuch %}", "chat template line 1, tag 'nosuch': unknown, or not expected here");
        assertRefused("x\n{{ 'a' + 1 }}", "chat template line 2, operator '+': does not work on 'str' and 'int'");
        assertRefused(
                "{{ raise_exception('Roles\nmust alternate') }}",
                "chat template line 1, call of 'raise_exception': Roles must alternate");
        assertRefused(
                "{% macro m() %}\n{{ [1] | tojson(x=1) }}{% endmacro %}\n{{ m() }}",
                "chat template line 2, filter 'tojson': has no argument named 'x'");
        assertRefused("\r\n\r\n{{ 1 +\n }}", "chat template line 4, expression: unexpected '}}'");
    }

    private static void assertRefused(String template, String message) {
        assertThatThrownBy(() -> render(template, Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @Test
    void refusesVariablesOfOtherTypesByName() {
        assertThatThrownBy(() -> render("x", Map.of("when", new StringBuilder())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("chat template variable 'when': a value of type StringBuilder is not supported");
        assertThatThrownBy(() -> render("x", Map.of("map", Map.of(1, 2))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("chat template variable 'map': a map's keys must be strings");
    }

    @Test
    void takesNullsAndEveryKindOfNumber() {
        Map<String, Object> variables = new HashMap<>();
        variables.put("nil", null);
        variables.put(
                "numbers",
                List.of(1, 2L, 1.5f, 2.5, (short) 3, new java.math.BigDecimal("0.25"), new java.math.BigInteger("7")));
        assertThat(render("{{ nil }} {{ numbers }}", variables)).isEqualTo("None [1, 2, 1.5, 2.5, 3, 0.25, 7]");
    }

    @Test
    void lendsTemplatesTheirOwnListsToChange() {
        List<Integer> given = Collections.unmodifiableList(new ArrayList<>(List.of(1, 2)));
        String template = "{% set _ = xs.append(3) %}{{ xs }}{{ xs.pop() }}{{ xs.pop(0) }}{{ xs }}";
        assertThat(render(template, Map.of("xs", given))).isEqualTo("[1, 2, 3]31[2]");
        assertThat(given).containsExactly(1, 2);
    }

    @Test
    void tellsTheDate() {
        assertThat(render("{{ strftime_now('%Y-%m-%d') }} {{ strftime_now('%d %b %Y, %-H %%') }}", Map.of()))
                .matches("\\d{4}-\\d\\d-\\d\\d \\d\\d [A-Z][a-z]{2} \\d{4}, \\d{1,2} %");
        assertRefused(
                "{{ strftime_now('%Q') }}",
                "chat template line 1, call of 'strftime_now': the directive '%Q' is not supported");
    }

    @Test
    void rendersOnManyThreadsAtOnce() throws Exception {
        ChatTemplate template = ChatTemplate.parse(
                "{% set ns = namespace(sum=0) %}{% macro m(x) %}<{{ x }}>{% endmacro %}"
                        + "{% for i in range(n) %}{% set ns.sum = ns.sum + i %}{{ m(i) if loop.last }}{% endfor %}{{ ns.sum }}");
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Callable<String>> tasks = new ArrayList<>();
            for (int i = 1; i <= 400; i++) {
                int n = i;
                tasks.add(() -> template.render(Map.of("n", n)));
            }
            List<Future<String>> rendered = threads.invokeAll(tasks);
            for (int n = 1; n <= 400; n++) {
                assertThat(rendered.get(n - 1).get()).isEqualTo("<" + (n - 1) + ">" + n * (n - 1) / 2);
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
