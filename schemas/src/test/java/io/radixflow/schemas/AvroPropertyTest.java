package io.radixflow.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** A JSON body and the Avro record made of it mean the same prompt; any other bytes are a dead letter, at a bounded cost. */
class AvroPropertyTest {

    private static final List<String> FIELDS = List.of(
            "\"temperature\":0.7",
            "\"top_p\":0.123456789",
            "\"top_k\":5",
            "\"min_p\":0.25",
            "\"presence_penalty\":-1.5",
            "\"frequency_penalty\":2",
            "\"repetition_penalty\":1.1",
            "\"max_completion_tokens\":12",
            "\"min_tokens\":3",
            "\"stop\":\"x\"",
            "\"stop_token_ids\":[1,2]",
            "\"no_stop_trim\":true",
            "\"ignore_eos\":true",
            "\"skip_special_tokens\":false",
            "\"n\":4",
            "\"seed\":-9223372036854775808",
            "\"logit_bias\":{\"3\":-0.5,\"9\":100}",
            "\"bad_words\":[\"é\",\"a b\"]",
            "\"allowed_token_ids\":[0,2147483647]",
            "\"prompt_logprobs\":2",
            "\"truncate_prompt_tokens\":7",
            "\"response_format\":{\"type\":\"text\"}",
            "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"b\":1.50,\"a\":null}}}]",
            "\"tool_choice\":\"auto\"",
            "\"parallel_tool_calls\":false",
            "\"chat_template_kwargs\":{\"enable_thinking\":false,\"x\":[1,{\"y\":2.5}]}",
            "\"separate_reasoning\":false",
            "\"stream\":true",
            "\"stream_options\":{\"include_usage\":false}",
            "\"priority\":-3",
            "\"cache_salt\":\"s\"",
            "\"user\":\"u\"",
            "\"custom_id\":\"\\ud83d\\ude00\"",
            "\"model\":\"m\"",
            "\"metadata\":{\"k\":1.10,\"l\":[true,null,\"\\u0000\"]}");

    private static final List<String> INPUTS = List.of(
            "\"prompt\":\"Once\"",
            "\"prompt\":[\"Once\"],\"logprobs\":3",
            "\"prompt\":[4,5,6],\"logprobs\":0",
            "\"prompt\":[[4,5,6]]",
            "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"logprobs\":true,\"top_logprobs\":2",
            "\"messages\":[{\"role\":\"user\",\"name\":\"n\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
                    + "{\"type\":\"text\",\"text\":\"\"}]}],\"logprobs\":false",
            "\"messages\":[{\"role\":\"assistant\",\"content\":null,\"reasoning_content\":\"r\",\"tool_calls\":[{\"id\":\"c\","
                    + "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1e3}\"}}]},"
                    + "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"42\"}]");

    private final PromptParser json = new PromptParser(RecordFormat.JSON);
    private final PromptParser avro = new PromptParser(RecordFormat.AVRO);
    private final AvroPromptWriter writer = new AvroPromptWriter();

    @Property(tries = 1_000)
    void aBodyAndItsRecordMeanTheSame(@ForAll("bodies") String body) throws RecordException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        Prompt expected = json.parse(bytes).inEnvelope(Prompt.Envelope.AVRO, null);

        assertThat(avro.parse(writer.write(bytes))).usingRecursiveComparison().isEqualTo(expected);
    }

    @Property(tries = 4_000)
    void anyBytesAreAPromptOrADeadLetter(@ForAll byte[] bytes) {
        parseOrRefuse(bytes);
    }

    @Property(tries = 10_000)
    void mutatedRecordsAreAPromptOrADeadLetter(@ForAll("bodies") String body, @ForAll long seed)
            throws RecordException {
        byte[] bytes = writer.write(body.getBytes(StandardCharsets.UTF_8));
        Random random = new Random(seed);
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        parseOrRefuse(bytes);
    }

    private void parseOrRefuse(byte[] bytes) {
        long before = allocatedBytes();
        try {
            assertThat(avro.parse(bytes)).isNotNull();
        } catch (RecordException refusal) {
            assertThat(refusal.code()).isIn(ErrorCode.INVALID_REQUEST, ErrorCode.UNSUPPORTED_PARAMETER);
            assertThat(refusal.reason()).isNotBlank();
        }
        // What the assertions and the trees of small texts take; a length that lies would ask for up to 8 GiB.
        assertThat(allocatedBytes() - before).isLessThan(8 << 20);
    }

    private static long allocatedBytes() {
        return ((com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean())
                .getCurrentThreadAllocatedBytes();
    }

    @Provide
    Arbitrary<String> bodies() {
        return Arbitraries.longs().map(seed -> body(new Random(seed)));
    }

    private static String body(Random random) {
        List<String> fields = new ArrayList<>(FIELDS);
        Collections.shuffle(fields, random);
        List<String> chosen = new ArrayList<>(fields.subList(0, random.nextInt(fields.size() + 1)));
        chosen.add(random.nextInt(chosen.size() + 1), INPUTS.get(random.nextInt(INPUTS.size())));
        return "{" + String.join(",", chosen) + "}";
    }
}
