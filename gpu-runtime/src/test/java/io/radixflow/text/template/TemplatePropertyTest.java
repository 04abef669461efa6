package io.radixflow.text.template;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.testkit.PropertyEvents;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Whatever is done to a template, it renders or is refused in one line with its place. */
class TemplatePropertyTest {

    private static final int EVENTS_OF_A_TEMPLATE = 20;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Limits SMALL = new Limits(1 << 20, 1_000_000, Limits.DEFAULT.depth());
    private static final String[] PIECES = {
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "{%-",
        "-%}",
        "{{-",
        "-}}",
        "{%+",
        "+%}",
        " if ",
        " else ",
        " for ",
        " in ",
        " not ",
        " and ",
        " or ",
        " is ",
        " set ",
        "{% endif %}",
        "{% endfor %}",
        "{% else %}",
        "{% set a = ",
        "{% for i in ",
        "{% macro m(a, b=1) %}",
        "{% endmacro %}",
        "{{ m(1) }}",
        "{% raw %}",
        "{% endraw %}",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        ".",
        "|",
        "~",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "=",
        "==",
        "<",
        ">=",
        "!=",
        "'",
        "\"",
        "\\",
        "'a'",
        "''",
        "1",
        "0",
        "-1",
        "2.5",
        "1e9",
        "99999999999",
        "none",
        "true",
        "messages",
        "messages[0]",
        ".content",
        ".role",
        "loop",
        "loop.index0",
        "[::-1]",
        "[1:]",
        "[-1]",
        "|length",
        "|tojson",
        "|join(',')",
        "|map(attribute='role')",
        "|list",
        "|selectattr('role', 'eq', 'user')",
        "|sort",
        "|unique",
        "|sum",
        "|min",
        "|round",
        "|int",
        "|float",
        "|default('x')",
        "|replace('a', 'b')",
        "|indent",
        "|title",
        "|dictsort",
        "|items",
        "|reverse",
        "|format(1)",
        ".split()",
        ".strip('x')",
        ".items()",
        ".get('a')",
        ".append(1)",
        ".pop()",
        ".format(1)",
        ".upper()",
        ".join(",
        " is defined",
        " is string",
        " is mapping",
        " is divisibleby 3",
        "namespace(a=1)",
        "range(9)",
        "dict(a=1)",
        "raise_exception('x')",
        "strftime_now('%Y')",
        "\n",
        "\r\n",
        " ",
        "\t",
        "\u00e9",
        "\ud83d\ude00",
        "\ud800",
        "\u0000",
        "é",
        "{% break %}",
        "{% call m() %}",
        "{% endcall %}",
        "{% filter upper %}",
        "{% endfilter %}",
        "{% generation %}",
        "{% endgeneration %}",
        "{% with a = 1 %}",
        "{% endwith %}"
    };
    private static final List<String> MODELS =
            List.of(read("qwen3.jinja"), read("qwen25.jinja"), read("smollm2.jinja"));
    private static final List<Map<String, Object>> FEATURES = parse("features.json", new TypeReference<>() {});
    private static final List<Map<String, Object>> CONVERSATIONS =
            parse(GoldenTemplatesTest.CONVERSATIONS, new TypeReference<>() {});

    @Property(tries = PropertyEvents.TRIES)
    void mutatedModelTemplatesRenderOrAreRefused(@ForAll long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < PropertyEvents.perTry() / EVENTS_OF_A_TEMPLATE; i++) {
            check(mutated(MODELS.get(random.nextInt(MODELS.size())), random, 1 + random.nextInt(6)), random);
        }
    }

    @Property(tries = PropertyEvents.TRIES)
    void mutatedFeatureTemplatesRenderOrAreRefused(@ForAll long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < PropertyEvents.perTry() / EVENTS_OF_A_TEMPLATE; i++) {
            String first = feature(random);
            String second = feature(random);
            check(mutated(random.nextBoolean() ? first : first + second, random, 1 + random.nextInt(3)), random);
        }
    }

    @Property(tries = PropertyEvents.TRIES)
    void randomPiecesRenderOrAreRefused(@ForAll long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < PropertyEvents.perTry() / EVENTS_OF_A_TEMPLATE; i++) {
            StringBuilder template = new StringBuilder(random.nextBoolean() ? "{{ " : "");
            for (int piece = random.nextInt(16); piece >= 0; piece--) {
                template.append(PIECES[random.nextInt(PIECES.length)]);
            }
            check(template.append(random.nextBoolean() ? " }}" : "").toString(), random);
        }
    }

    private static String feature(Random random) {
        return String.valueOf(FEATURES.get(random.nextInt(FEATURES.size())).get("template"));
    }

    private static String mutated(String template, Random random, int numMutations) {
        StringBuilder mutated = new StringBuilder(template);
        for (int i = 0; i < numMutations; i++) {
            int from = random.nextInt(mutated.length() + 1);
            int to = Math.min(mutated.length(), from + random.nextInt(12));
            String piece = mutated.substring(from, to);
            switch (random.nextInt(4)) {
                case 0 -> mutated.delete(from, to);
                case 1 -> mutated.insert(random.nextInt(mutated.length() + 1), piece);
                case 2 -> mutated.insert(from, PIECES[random.nextInt(PIECES.length)]);
                default -> mutated.replace(from, to, PIECES[random.nextInt(PIECES.length)]);
            }
        }
        return mutated.toString();
    }

    private static void check(String source, Random random) {
        Map<String, Object> variables = JSON.convertValue(
                CONVERSATIONS.get(random.nextInt(CONVERSATIONS.size())).get("variables"), new TypeReference<>() {});
        try {
            Template.parse(source, Clock.systemUTC(), SMALL).render(variables);
        } catch (IllegalArgumentException e) {
            assertThat(e.getMessage()).matches("chat template line \\d+, [^\\n]+: [^\\n]*");
        }
    }

    private static String read(String file) {
        try {
            return GoldenTemplatesTest.read(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static <T> T parse(String file, TypeReference<T> type) {
        try {
            return JSON.readValue(read(file), type);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
