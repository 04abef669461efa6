package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.SamplingParams;
import io.radixflow.schemas.DeadLetter;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.text.ReasoningStart;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class InferenceOperatorTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final PipelineOptions options =
            PipelineOptions.defaults().withAdmission(new AdmissionLimits(Duration.ZERO, 1_000_000, 1_000_000));

    @Test
    void answersEveryRequestWithItsKeyHeadersAndUsage() throws Exception {
        PreparedRequest request = Prompts.prepared(3, "hello", Prompts.exactly(5));
        try (OperatorHarness operator = open(null)) {
            operator.process(request);
            operator.stepUntilIdle();

            ResultRecord result = operator.flink().extractOutputValues().get(0);
            JsonNode json = JSON.readTree(result.value());
            assertThat(result.key()).isEqualTo(request.source().key());
            assertThat(result.headers()).hasSize(1);
            assertThat(result.timestamp()).isEqualTo(Prompts.CREATED_MILLIS);
            assertThat(json.path("custom_id").asText()).isEqualTo("prompts-0-3");
            assertThat(json.path("created").asLong()).isEqualTo(Prompts.CREATED_MILLIS / 1000);
            assertThat(json.path("metadata").toString()).isEqualTo("{\"a\":1}");
            assertThat(text(json)).isEqualTo(Prompts.expectedText(request)).hasSize(5);
            assertThat(json.at("/choices/0/finish_reason").asText()).isEqualTo("length");
            assertThat(json.at("/usage/prompt_tokens").asInt()).isEqualTo(5);
            assertThat(json.at("/usage/completion_tokens").asInt()).isEqualTo(5);
            assertThat(operator.deltas()).isEmpty();
        }
    }

    @Test
    void goesOnAtTheNextTokenAfterARestore() throws Exception {
        PreparedRequest first = Prompts.streamed(1, "first", Prompts.exactly(20));
        PreparedRequest second = Prompts.streamed(2, "second", Prompts.exactly(12));
        List<String> completions = new ArrayList<>();
        List<String> deltas = new ArrayList<>();
        OperatorSubtaskState state;
        try (OperatorHarness operator = open(null)) {
            operator.process(first);
            operator.step(3);
            operator.process(second);
            operator.step(4);
            state = operator.snapshot(1);
            deltas.addAll(operator.deltas());
            operator.step(2); // lost: after the snapshot
        }
        try (OperatorHarness operator = open(state)) {
            assertThat(operator.engine().keptTokens()).isEqualTo(7 + 4);
            operator.stepUntilIdle();
            completions.addAll(operator.completions());
            deltas.addAll(operator.deltas());
        }

        assertThat(texts(completions))
                .containsExactlyInAnyOrder(Prompts.expectedText(first), Prompts.expectedText(second));
        assertThat(streamedText(deltas, "prompts-0-1")).isEqualTo(Prompts.expectedText(first));
        assertThat(streamedText(deltas, "prompts-0-2")).isEqualTo(Prompts.expectedText(second));
    }

    @Test
    void replaysTheSameBytesAfterARestore() throws Exception {
        PreparedRequest request = Prompts.streamed(1, "same", Prompts.exactly(9));
        List<String> undisturbed;
        try (OperatorHarness operator = open(null)) {
            operator.process(request);
            operator.stepUntilIdle();
            undisturbed = operator.completions();
        }
        OperatorSubtaskState state;
        try (OperatorHarness operator = open(null)) {
            operator.process(request);
            operator.step(4);
            state = operator.snapshot(1);
        }
        try (OperatorHarness operator = open(state)) {
            operator.stepUntilIdle();
            assertThat(operator.completions()).isEqualTo(undisturbed);
        }
    }

    @Test
    void spreadsRequestsInFlightWhenRescaled() throws Exception {
        Set<String> expected = new TreeSet<>();
        List<OperatorSubtaskState> states = new ArrayList<>();
        for (int subtask = 0; subtask < 2; subtask++) {
            try (OperatorHarness operator = open(null)) {
                for (int i = 0; i < 5; i++) {
                    PreparedRequest request =
                            Prompts.prepared(10 * subtask + i, "prompt " + subtask + i, Prompts.exactly(10));
                    expected.add(Prompts.expectedText(request));
                    operator.process(request);
                }
                operator.step(3);
                states.add(operator.snapshot(1));
            }
        }
        OperatorSubtaskState merged = AbstractStreamOperatorTestHarness.repackageState(states.get(0), states.get(1));
        OperatorSubtaskState one;
        try (OperatorHarness operator = open(repartition(merged, 2, 1, 0))) {
            assertThat(operator.engine().numUnfinished()).isEqualTo(10);
            assertThat(operator.engine().keptTokens()).isEqualTo(30);
            operator.step(2);
            one = operator.snapshot(2);
        }
        Set<String> texts = new TreeSet<>();
        for (int subtask = 0; subtask < 2; subtask++) {
            try (OperatorHarness operator = open(repartition(one, 1, 2, subtask))) {
                assertThat(operator.engine().numUnfinished()).isEqualTo(5);
                assertThat(operator.engine().keptTokens()).isEqualTo(25);
                operator.stepUntilIdle();
                texts.addAll(texts(operator.completions()));
            }
        }
        assertThat(texts).isEqualTo(expected).hasSize(10);
    }

    private static OperatorSubtaskState repartition(OperatorSubtaskState state, int from, int to, int subtask) {
        return AbstractStreamOperatorTestHarness.repartitionOperatorState(
                state, EngineKeys.MAX_PARALLELISM, from, to, subtask);
    }

    @Test
    void waitsForAnswersAtTheEndOfTheInput() throws Exception {
        try (OperatorHarness operator = new OperatorHarness(FakeEngines.threaded(4, 100), options, null)) {
            for (int i = 0; i < 10; i++) {
                operator.process(Prompts.prepared(i, "prompt " + i, Prompts.exactly(8)));
            }
            operator.flink().endInput();

            assertThat(operator.completions()).hasSize(10);
            assertThat(operator.snapshot(1).getManagedOperatorState())
                    .allSatisfy(handle -> assertThat(
                                    handle.getStateNameToPartitionOffsets().values())
                            .allSatisfy(
                                    offsets -> assertThat(offsets.getOffsets()).isEmpty()));
        }
    }

    @Test
    void leavesNoThreadWhenClosedInMidFlight() throws Exception {
        try (OperatorHarness operator = new OperatorHarness(FakeEngines.threaded(4, 100), options, null)) {
            operator.process(Prompts.prepared(1, "long", Prompts.exactly(900)));
        }

        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .doesNotContain("fake-engine");
    }

    @Test
    void turnsARequestBeyondItsDeadlineIntoADeadLetter() throws Exception {
        PreparedRequest late = Prompts.streamed(5, "late", Prompts.exactly(900));
        PipelineOptions hasty = options.withRequestTimeout(Duration.ofNanos(1));
        try (OperatorHarness operator = new OperatorHarness(FakeEngines.stepped(4), hasty, null)) {
            operator.process(late);
            operator.step(1);

            DeadLetter letter = operator.deadLetters().get(0);
            assertThat(letter.code()).isEqualTo(ErrorCode.REQUEST_TIMEOUT);
            assertThat(letter.stage()).isEqualTo("inference");
            assertThat(letter.message()).contains("--request-timeout");
            assertThat(letter.value()).isEqualTo(late.source().value());
            assertThat(letter.key()).isEqualTo(late.source().key());
            assertThat(operator.completions()).isEmpty();
            assertThat(operator.deltas()).last().asString().contains("\"finish_reason\":\"abort\"");
        }
    }

    @Test
    void turnsARequestThatTheEngineRefusesIntoADeadLetter() throws Exception {
        try (OperatorHarness operator = open(null)) {
            operator.process(Prompts.prepared(1, "!no", Prompts.exactly(3)));
            operator.process(Prompts.prepared(2, "yes", Prompts.exactly(3)));
            operator.stepUntilIdle();

            assertThat(operator.deadLetters()).singleElement().satisfies(letter -> {
                assertThat(letter.code()).isEqualTo(ErrorCode.ENGINE_ERROR);
                assertThat(letter.offset()).isEqualTo(1);
            });
            assertThat(operator.completions()).hasSize(1);
        }
    }

    @Test
    void aSchemaThatCannotBeEnforcedIsADeadLetterThatNamesTheKeyword() throws Exception {
        GrammarSpec grammar = GrammarSpec.of(
                GrammarSpec.Kind.JSON_SCHEMA,
                "{\"properties\":{\"a\":{\"type\":\"array\",\"uniqueItems\":true,\"items\":{\"format\":\"regex\"}}}}");
        SamplingParams constrained =
                Prompts.exactly(3).toBuilder().grammar(grammar).build();
        AnswerShape two = new AnswerShape(2, -1, ReasoningStart.NEVER, false, false);
        try (OperatorHarness operator = open(null)) {
            operator.process(Prompts.prepared(1, "bad", constrained));
            operator.process(Prompts.prepared(2, "twice bad", constrained, two));
            operator.process(Prompts.prepared(3, "good", Prompts.exactly(3)));
            operator.stepUntilIdle();

            assertThat(operator.deadLetters()).hasSize(2).allSatisfy(letter -> {
                assertThat(letter.code()).isEqualTo(ErrorCode.INVALID_SCHEMA);
                assertThat(letter.stage()).isEqualTo("inference");
                assertThat(letter.message()).startsWith("JSON Schema: uniqueItems at an array");
            });
            assertThat(operator.completions()).hasSize(1);
        }
    }

    @Test
    void refusesWhatTheEnginesMemoryCantHold() throws Exception {
        try (OperatorHarness operator = open(null)) {
            operator.process(Prompts.prepared(1, "x".repeat(1_000), Prompts.exactly(30)));

            assertThat(operator.deadLetters()).singleElement().satisfies(letter -> {
                assertThat(letter.code()).isEqualTo(ErrorCode.CONTEXT_LENGTH_EXCEEDED);
                assertThat(letter.message()).contains("1000 tokens").contains("--max-total-tokens");
            });
        }
    }

    @Test
    void sendsAgainWhatAFullEngineDidNotTake() throws Exception {
        try (OperatorHarness operator = new OperatorHarness(FakeEngines.stepped(1, 1), options, null)) {
            List<String> expected = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                PreparedRequest request = Prompts.prepared(i, "prompt " + i, Prompts.exactly(3));
                expected.add(Prompts.expectedText(request));
                operator.process(request);
            }
            while (operator.completions().size() < expected.size()) {
                operator.step(1);
            }
            assertThat(texts(operator.completions())).isEqualTo(expected);
        }
    }

    @Test
    void holdsARecordBackWhileTooManyTokensWait() throws Exception {
        PipelineOptions narrow = options.withAdmission(new AdmissionLimits(Duration.ZERO, 10, 1_000_000));
        try (OperatorHarness operator = new OperatorHarness(FakeEngines.threaded(1, 100), narrow, null)) {
            for (int i = 0; i < 20; i++) {
                operator.process(Prompts.prepared(i, "eight +" + (i % 10), Prompts.exactly(5)));
                assertThat(operator.engine().numUnfinished()).isLessThanOrEqualTo(4);
            }
            operator.flink().endInput();
            assertThat(operator.completions()).hasSize(20);
        }
    }

    @Test
    void takesARecordInAfterAShortHoldThoughTheEngineIsFull() throws Exception {
        PipelineOptions patient = options.withAdmission(new AdmissionLimits(Duration.ofMillis(2), 1_000, 1_000_000));
        try (OperatorHarness operator = new OperatorHarness(FakeEngines.stepped(1), patient, null)) {
            for (int i = 0; i < 4; i++) {
                operator.process(Prompts.prepared(i, "prompt " + i, Prompts.exactly(5)));
            }
            assertThat(operator.engine().numUnfinished()).isEqualTo(4);
        }
    }

    @Test
    void doesNotCountTheTimeThatTheJobWasDown() throws Exception {
        InFlightRequest inFlight = new InFlightRequest(Prompts.prepared(1, "x", Prompts.exactly(5)), 1_000);
        inFlight.markElapsed(1_700);
        InFlightRequestSerializer serializer = new InFlightRequestSerializer();
        InFlightRequest restored = serializer.deserialize(serializer.getVersion(), serializer.serialize(inFlight));
        restored.resume(1_000_000);

        assertThat(restored.admittedNanos()).isEqualTo(1_000_000 - 700);
        assertThat(restored.deadlineNanos(900)).isEqualTo(1_000_000 - 700 + 900);
    }

    @Test
    void sendsChunksAtTheStreamInterval() throws Exception {
        PipelineOptions coarse = PipelineOptions.defaults()
                .withPrefixWindow(1, Duration.ZERO)
                .withEngineConfig(EngineConfig.of(Map.of("stream-interval", "4")));
        PreparedRequest request = Prompts.streamed(1, "stream", Prompts.exactly(10));
        try (OperatorHarness operator = new OperatorHarness(FakeEngines.stepped(2), coarse, null)) {
            operator.process(request);
            operator.stepUntilIdle();

            // The role, tokens 1, 2-5, 6-9, 10, and the end.
            assertThat(operator.deltas()).hasSize(6);
            assertThat(operator.deltas().get(0)).contains("\"role\":\"assistant\"");
            assertThat(operator.deltas().get(5)).contains("\"finish_reason\":\"length\"", "\"usage\"");
            assertThat(streamedText(operator.deltas(), "prompts-0-1")).isEqualTo(Prompts.expectedText(request));
        }
    }

    @Test
    void sendsNoChunksWhenNobodyReadsThem() throws Exception {
        PipelineOptions silent = options.withDeltaOutput(false);
        try (OperatorHarness operator = new OperatorHarness(FakeEngines.stepped(2), silent, null)) {
            operator.process(Prompts.streamed(1, "stream", Prompts.exactly(4)));
            operator.stepUntilIdle();

            assertThat(operator.deltas()).isEmpty();
            assertThat(operator.completions()).hasSize(1);
        }
    }

    @Test
    void letsAWatermarkPassAfterTheAnswersBeforeIt() throws Exception {
        try (OperatorHarness operator = open(null)) {
            operator.process(Prompts.prepared(1, "slow", Prompts.exactly(6)));
            operator.flink().processWatermark(100);
            operator.process(Prompts.prepared(2, "later", Prompts.exactly(2)));
            operator.flink().processWatermark(200);
            operator.step(3);
            assertThat(operator.flink().getOutput()).doesNotContain(new Watermark(100));
            operator.stepUntilIdle();

            assertThat(operator.flink().getOutput().stream()
                            .filter(Watermark.class::isInstance)
                            .map(mark -> ((Watermark) mark).getTimestamp()))
                    .containsExactly(100L, 200L);
        }
    }

    @Test
    void goesIdleOnlyAfterTheWatermarkThatItHolds() throws Exception {
        try (OperatorHarness operator = open(null)) {
            operator.process(Prompts.prepared(1, "slow", Prompts.exactly(2)));
            operator.flink().processWatermark(100);
            operator.flink().processWatermarkStatus(WatermarkStatus.IDLE);
            assertThat(operator.flink().getOutput()).doesNotContain(WatermarkStatus.IDLE);
            operator.stepUntilIdle();

            assertThat(new ArrayList<>(operator.flink().getOutput()))
                    .endsWith(new Watermark(100), WatermarkStatus.IDLE);
        }
    }

    @Test
    void leavesOpenEndedRequestsWhatTheEngineHolds() throws Exception {
        SamplingParams sampling = SamplingParams.builder()
                .temperature(0)
                .maxTokens(5_000)
                .ignoreEos(true)
                .build();
        PreparedRequest given = Prompts.prepared(1, "x".repeat(1_020), sampling);
        PreparedRequest openEnded = new PreparedRequest(
                given.source(), given.head(), given.shape(), given.promptIds(), sampling, true, null, 0, 0);
        try (OperatorHarness operator = open(null)) {
            operator.process(openEnded);
            operator.stepUntilIdle();

            assertThat(texts(operator.completions()).get(0)).hasSize(4);
        }
    }

    private OperatorHarness open(@Nullable OperatorSubtaskState state) throws Exception {
        return new OperatorHarness(FakeEngines.stepped(16), options, state);
    }

    private static List<String> texts(List<String> completions) throws Exception {
        List<String> texts = new ArrayList<>();
        for (String completion : completions) {
            texts.add(text(JSON.readTree(completion)));
        }
        return texts;
    }

    private static String text(JsonNode completion) {
        return completion.at("/choices/0/message/content").asText();
    }

    private static String streamedText(List<String> deltas, String customId) throws Exception {
        StringBuilder text = new StringBuilder();
        for (String delta : deltas) {
            JsonNode json = JSON.readTree(delta);
            if (json.path("custom_id").asText().equals(customId)) {
                text.append(json.at("/choices/0/delta/content").asText());
            }
        }
        return text.toString();
    }
}
