package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.JsonStyle;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.SamplingParamsBuilder;
import io.radixflow.schemas.DeadLetter;
import io.radixflow.schemas.ErrorCode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.testutils.MiniClusterResourceConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Constrained answers in a job whose engine dies and which fails and goes on. */
class GrammarIT {

    @RegisterExtension
    static final MiniClusterExtension CLUSTER = new MiniClusterExtension(new MiniClusterResourceConfiguration.Builder()
            .setNumberTaskManagers(1)
            .setNumberSlotsPerTaskManager(2)
            .build());

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int NUM_RECORDS = 72;
    private static final int MAX_TOKENS = 400;
    private static final String SCHEMA =
            "{\"type\":\"object\",\"properties\":{\"kind\":{\"enum\":[\"bug\",\"praise\"]},"
                    + "\"stars\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5},\"note\":{\"type\":\"string\",\"maxLength\":30}},"
                    + "\"required\":[\"kind\",\"stars\",\"note\"],\"additionalProperties\":false}";
    private static final String WRONG_SCHEMA = "{\"properties\":{\"a\":{\"$dynamicRef\":\"#x\"}}}";
    private static final String REGEX = "[a-f]{20,40}";

    /** What a record asks for. */
    private enum Kind {
        STREAMED_JSON(",\"stream\":true,\"json_schema\":" + SCHEMA),
        TWO_JSONS(
                ",\"n\":2,\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\",\"strict\":true,"
                        + "\"schema\":" + SCHEMA + "}}"),
        SCORED_REGEX(",\"stream\":true,\"logprobs\":1,\"regex\":\"" + REGEX + "\""),
        CUT_JSON(",\"stop\":[\",\"],\"json_schema\":" + SCHEMA),
        WRONG(",\"json_schema\":" + WRONG_SCHEMA),
        FREE(",\"stream\":true");

        private final String fields;

        Kind(String fields) {
            this.fields = fields;
        }

        static Kind of(long record) {
            return values()[(int) (record % values().length)];
        }

        boolean isStreamed() {
            return fields.contains("stream");
        }

        int numChoices() {
            return this == TWO_JSONS ? 2 : 1;
        }

        int maxTokens() {
            return this == FREE ? 60 : MAX_TOKENS;
        }
    }

    private static String prompt(long i) {
        return "Label ticket " + i;
    }

    private static SourceRecord record(long i) {
        Kind kind = Kind.of(i);
        return Prompts.source(i, Prompts.json(prompt(i), ",\"max_tokens\":" + kind.maxTokens() + kind.fields));
    }

    /** Fails the job once, half way, when a checkpoint has completed that was triggered after one with answers before it. */
    private static final class FailsOnce implements MapFunction<ResultRecord, ResultRecord>, CheckpointListener {

        private static final long serialVersionUID = 1L;
        private static final AtomicInteger NUM_ANSWERS = new AtomicInteger();
        private static final AtomicInteger NUM_CHECKPOINTS = new AtomicInteger();
        private static final AtomicBoolean IS_FAILURE_WANTED = new AtomicBoolean();

        private static void reset() {
            NUM_ANSWERS.set(0);
            NUM_CHECKPOINTS.set(0);
            IS_FAILURE_WANTED.set(true);
        }

        @Override
        public ResultRecord map(ResultRecord result) throws IOException {
            boolean isHalfWay = NUM_ANSWERS.incrementAndGet() > NUM_RECORDS / 3 && NUM_CHECKPOINTS.get() > 1;
            if (isHalfWay && IS_FAILURE_WANTED.compareAndSet(true, false)) {
                throw new IOException("failure injected half way");
            }
            return result;
        }

        @Override
        public void notifyCheckpointComplete(long checkpointId) {
            if (NUM_ANSWERS.get() > 0) {
                NUM_CHECKPOINTS.incrementAndGet();
            }
        }
    }

    private static StreamExecutionEnvironment environment() {
        Configuration configuration = new Configuration();
        configuration.setString("execution.checkpointing.interval", "100 ms");
        configuration.setString("execution.checkpointing.unaligned.enabled", "true");
        configuration.setString("restart-strategy.type", "fixed-delay");
        configuration.setString("restart-strategy.fixed-delay.attempts", "1");
        configuration.setString("restart-strategy.fixed-delay.delay", "0 s");
        return StreamExecutionEnvironment.getExecutionEnvironment(configuration);
    }

    @Test
    @Timeout(120)
    void answersAreThoseOfAnUnbrokenRunThoughEngineAndJobFail() throws Exception {
        FailsOnce.reset();
        StreamExecutionEnvironment environment = environment();
        SimulatedEngines engines = SimulatedEngines.of(8, 2_000);
        SimulatedEngines.killAfter(150);
        PipelineOutputs outputs = PromptPipeline.build(
                environment
                        .fromSequence(0, NUM_RECORDS - 1)
                        .setParallelism(1)
                        .map(GrammarIT::record)
                        .returns(RecordTypes.SOURCE)
                        .setParallelism(1),
                engines,
                PipelineOptions.defaults().withPrefixWindow(4, Duration.ofMillis(5)));
        CloseableIterator<ResultRecord> completions = outputs.completions()
                .map(new FailsOnce())
                .returns(RecordTypes.RESULT)
                .setParallelism(1)
                .collectAsync();
        CloseableIterator<ResultRecord> deltas = outputs.deltas().collectAsync();
        CloseableIterator<DeadLetter> deadLetters = outputs.deadLetters().collectAsync();
        environment.executeAsync("grammars");

        Map<String, List<String>> expected = expected();
        assertCompletions(completions, expected);
        assertDeltas(deltas, expected);
        assertDeadLetters(deadLetters);
        assertThat(FailsOnce.IS_FAILURE_WANTED)
                .as("the failure was not injected")
                .isFalse();
        assertThat(SimulatedEngines.numStarted()).isEqualTo(3);
        assertThat(SimulatedEngines.longestExtend())
                .as("tokens of requests that went on")
                .isGreaterThan(2 * prompt(NUM_RECORDS).length());
    }

    private static void assertCompletions(Iterator<ResultRecord> completions, Map<String, List<String>> expected)
            throws IOException {
        Map<String, List<String>> texts = new TreeMap<>();
        while (completions.hasNext()) {
            JsonNode json = JSON.readTree(completions.next().value());
            String customId = json.path("custom_id").asText();
            List<String> ofRecord = new ArrayList<>();
            for (JsonNode choice : json.path("choices")) {
                ofRecord.add(choice.path("text").asText());
                assertChoice(kind(customId), choice);
            }
            assertThat(texts.put(customId, ofRecord)).as("an earlier answer").isNull();
        }
        assertThat(texts).isEqualTo(expected);
    }

    private static void assertChoice(Kind kind, JsonNode choice) throws IOException {
        String text = choice.path("text").asText();
        if (kind != Kind.FREE) {
            assertThat(choice.path("finish_reason").asText()).isEqualTo("stop");
        }
        switch (kind) {
            case STREAMED_JSON, TWO_JSONS -> assertIsInstance(text);
            case CUT_JSON -> assertThat(text).matches("(?s)\\s?\\{\\s?\"kind\"\\s?:\\s?\"(bug|praise)\"\\s?");
            case SCORED_REGEX -> {
                assertThat(text).matches(REGEX);
                StringBuilder tokens = new StringBuilder();
                choice.at("/logprobs/tokens").forEach(token -> tokens.append(token.asText()));
                assertThat(tokens).hasToString(text);
                choice.at("/logprobs/token_logprobs")
                        .forEach(score -> assertThat(score.asDouble()).isNegative());
            }
            case WRONG -> throw new AssertionError("answered in spite of its schema");
            case FREE -> assertThat(choice.path("finish_reason").asText()).isEqualTo("length");
        }
    }

    private static void assertIsInstance(String text) throws IOException {
        JsonNode answer = JSON.readTree(text);
        assertThat(answer).hasSize(3);
        assertThat(answer.path("kind").textValue()).isIn("bug", "praise");
        assertThat(answer.path("stars").isInt()).isTrue();
        assertThat(answer.path("stars").intValue()).isBetween(1, 5);
        String note = answer.path("note").textValue();
        assertThat(note.codePointCount(0, note.length())).isLessThanOrEqualTo(30);
    }

    private static void assertDeltas(Iterator<ResultRecord> deltas, Map<String, List<String>> expected)
            throws IOException {
        Map<String, StringBuilder> texts = new TreeMap<>();
        while (deltas.hasNext()) {
            JsonNode json = JSON.readTree(deltas.next().value());
            texts.computeIfAbsent(json.path("custom_id").asText(), id -> new StringBuilder())
                    .append(json.at("/choices/0/text").asText());
        }
        Map<String, String> streamed = new TreeMap<>();
        texts.forEach((id, text) -> streamed.put(id, text.toString()));
        Map<String, String> wanted = new TreeMap<>();
        expected.forEach((id, ofRecord) -> {
            if (kind(id).isStreamed()) {
                wanted.put(id, ofRecord.get(0));
            }
        });
        assertThat(streamed).isEqualTo(wanted);
    }

    private static void assertDeadLetters(Iterator<DeadLetter> deadLetters) {
        TreeSet<Long> refused = new TreeSet<>();
        while (deadLetters.hasNext()) {
            DeadLetter letter = deadLetters.next();
            assertThat(letter.code()).isEqualTo(ErrorCode.INVALID_SCHEMA);
            assertThat(letter.message()).contains("$dynamicRef at #/properties/a");
            assertThat(refused.add(letter.offset())).isTrue();
        }
        assertThat(refused).hasSize(NUM_RECORDS / Kind.values().length).allMatch(i -> Kind.of(i) == Kind.WRONG);
    }

    private static Kind kind(String customId) {
        return Kind.of(Long.parseLong(customId.substring(customId.lastIndexOf('-') + 1)));
    }

    private static SamplingParams sampling(long i, int choice) {
        long seed = RequestSeed.derive(0, "prompts-0-" + i);
        SamplingParamsBuilder sampling = SamplingParams.builder()
                .maxTokens(Kind.of(i).maxTokens())
                .seed(choice == 0 ? seed : RequestSeed.ofChoice(seed, choice));
        return switch (Kind.of(i)) {
            case STREAMED_JSON -> sampling.grammar(schema(false)).build();
            case TWO_JSONS -> sampling.grammar(schema(true)).build();
            case CUT_JSON -> sampling.grammar(schema(false)).stop(List.of(",")).build();
            case SCORED_REGEX ->
                sampling.grammar(GrammarSpec.of(GrammarSpec.Kind.REGEX, REGEX)).build();
            case WRONG, FREE -> sampling.build();
        };
    }

    private static GrammarSpec schema(boolean isStrict) {
        return new GrammarSpec(
                GrammarSpec.Kind.JSON_SCHEMA, SCHEMA, isStrict, JsonStyle.DEFAULT, GrammarSpec.Reasoning.NEVER);
    }

    private static Map<String, List<String>> expected() {
        List<GenerationRequest> requests = new ArrayList<>();
        for (long i = 0; i < NUM_RECORDS; i++) {
            for (int choice = 0; Kind.of(i) != Kind.WRONG && choice < Kind.of(i).numChoices(); choice++) {
                requests.add(new GenerationRequest(2 * i + choice, Prompts.ids(prompt(i)), sampling(i, choice)));
            }
        }
        List<String> texts = SimulatedEngines.undisturbed(requests);
        Map<String, List<String>> expected = new TreeMap<>();
        for (int i = 0; i < texts.size(); i++) {
            expected.computeIfAbsent("prompts-0-" + requests.get(i).requestId() / 2, id -> new ArrayList<>())
                    .add(texts.get(i));
        }
        return expected;
    }
}
