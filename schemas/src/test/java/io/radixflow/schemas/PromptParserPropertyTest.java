package io.radixflow.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** Whatever bytes come in: a prompt or a {@link RecordException}, nothing else. */
class PromptParserPropertyTest {

    private static final String SEED = """
            {"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hi \\u00e9"}]}],
            "temperature":0.7,"top_k":5,"max_tokens":12,"stop":["x"],"stop_token_ids":[1],"seed":4,"stream":true,
            "stream_options":{"include_usage":true},"chat_template_kwargs":{"a":[1,2.5,null,{"b":true}]},"n":1,
            "logprobs":true,"top_logprobs":2,"response_format":{"type":"text"},"metadata":{"k":"v"},"custom_id":"c",
            "tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"tool_choice":"auto","logit_bias":{"5":1.5},
            "bad_words":["no"],"allowed_token_ids":[3],"prompt_logprobs":1,"truncate_prompt_tokens":4,"priority":2}""";

    private static final String BATCH_SEED = """
            {"custom_id":"b","method":"POST","url":"/v1/completions","body":{"prompt":[[1,2,3]],"logprobs":2,"n":2,
            "best_of":2,"suffix":null,"echo":false,"seed":7,"metadata":{"a":[1,{}]}}}""";

    private static final String TOOL_SEED = """
            {"messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f",
            "arguments":"{\\"a\\":1}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}],"no_stop_trim":true}""";

    private static final List<String> SEEDS = List.of(SEED, BATCH_SEED, TOOL_SEED);

    private static final List<String> FRAGMENTS = List.of(
            "null",
            "{}",
            "[]",
            "-1",
            "1e400",
            "1e999999999",
            "0.1",
            "\"\"",
            "true",
            "\"\\ud800\"",
            "[[[[",
            "\u0000",
            ",",
            "}",
            "99999999999999999999");

    private final PromptParser parser = new PromptParser(RecordFormat.JSON);

    @Test
    void theRequestsBehindTheMutantsParse() throws RecordException {
        for (String seed : SEEDS) {
            assertThat(parser.parse(seed.getBytes(StandardCharsets.UTF_8)).unknownFields())
                    .isEmpty();
        }
    }

    @Property(tries = 2_000)
    void randomBytesNeverBreakTheParser(@ForAll byte[] bytes) {
        parseOrRefuse(bytes);
    }

    @Property(tries = 8_000)
    void mutatedRequestsNeverBreakTheParser(@ForAll("mutants") byte[] bytes) {
        parseOrRefuse(bytes);
    }

    @Provide
    Arbitrary<byte[]> mutants() {
        return Arbitraries.longs().map(seed -> mutate(new Random(seed)));
    }

    private static byte[] mutate(Random random) {
        StringBuilder text = new StringBuilder(SEEDS.get(random.nextInt(SEEDS.size())));
        int numMutations = 1 + random.nextInt(3);
        for (int i = 0; i < numMutations; i++) {
            int from = random.nextInt(text.length());
            int to = Math.min(text.length(), from + random.nextInt(8));
            String fragment = FRAGMENTS.get(random.nextInt(FRAGMENTS.size()));
            switch (random.nextInt(4)) {
                case 0 -> text.replace(from, to, fragment);
                case 1 -> text.insert(from, fragment);
                case 2 -> text.setCharAt(from, (char) random.nextInt(128));
                default -> replaceOneValue(text, random, fragment);
            }
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Keeps the text a JSON object most of the time, so that the checks behind the syntax are reached. */
    private static void replaceOneValue(StringBuilder text, Random random, String fragment) {
        int colon = text.indexOf(":", random.nextInt(text.length()));
        if (colon < 0) {
            return;
        }
        int end = text.indexOf(",", colon);
        if (end > colon) {
            text.replace(colon + 1, end, fragment);
        }
    }

    private void parseOrRefuse(byte[] bytes) {
        try {
            assertThat(parser.parse(bytes)).isNotNull();
        } catch (RecordException refusal) {
            assertThat(refusal.reason()).isNotBlank();
        }
    }
}
