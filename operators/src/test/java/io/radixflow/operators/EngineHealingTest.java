package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.testkit.FakeEngine;
import io.radixflow.text.ReasoningStart;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the operator does when its engine fails. */
@Timeout(60)
class EngineHealingTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String POISON = Character.toString(FakeEngine.POISON_ID);

    private final List<PreparedRequest> sent = new ArrayList<>();

    private static OperatorHarness open(@Nullable OperatorSubtaskState state, String... engineOptions)
            throws Exception {
        return open(FakeEngines.stepped(8), state, engineOptions);
    }

    private static OperatorHarness open(
            FakeEngines engines, @Nullable OperatorSubtaskState state, String... engineOptions) throws Exception {
        EngineConfig config =
                EngineConfig.of(engineOptions.length == 0 ? Map.of() : Map.of(engineOptions[0], engineOptions[1]));
        PipelineOptions options = PipelineOptions.defaults()
                .withAdmission(new AdmissionLimits(Duration.ZERO, 1_000_000, 1_000_000))
                .withEngineConfig(config);
        return new OperatorHarness(engines, options, state);
    }

    private PreparedRequest send(OperatorHarness operator, String prompt) throws Exception {
        PreparedRequest request = Prompts.streamed(sent.size(), prompt, Prompts.exactly(12));
        sent.add(request);
        operator.process(request);
        return request;
    }

    private static void kill(OperatorHarness operator) {
        operator.engine().fail(new EngineException(EngineException.Category.DEVICE, "the device is gone"));
    }

    /** Each record without poison has its answer, and its deltas say the same; those with poison are dead letters. */
    private void assertAnswered(List<String> completions, List<String> deltas, OperatorHarness operator)
            throws Exception {
        List<String> expected = new ArrayList<>();
        List<Long> poisoned = new ArrayList<>();
        for (PreparedRequest request : sent) {
            if (request.promptIds()[0] == FakeEngine.POISON_ID) {
                poisoned.add(request.source().offset());
            } else {
                expected.add(Prompts.expectedText(request));
                assertThat(streamedText(deltas, request.head().customId())).isEqualTo(Prompts.expectedText(request));
            }
        }
        List<String> texts = new ArrayList<>();
        for (String completion : completions) {
            texts.add(JSON.readTree(completion).at("/choices/0/message/content").asText());
        }
        assertThat(texts).containsExactlyInAnyOrderElementsOf(expected);
        assertThat(operator.deadLetters())
                .allSatisfy(letter -> assertThat(letter.code()).isEqualTo(ErrorCode.ENGINE_ERROR))
                .extracting(letter -> letter.offset())
                .containsExactlyInAnyOrderElementsOf(poisoned);
    }

    private void assertAnswered(OperatorHarness operator) throws Exception {
        assertAnswered(operator.completions(), operator.deltas(), operator);
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

    @Test
    void requestsGoOnWithTheirTokensOnANewEngine() throws Exception {
        try (OperatorHarness operator = open(null)) {
            for (int i = 0; i < 12; i++) {
                send(operator, "prompt " + i);
            }
            operator.step(3);
            operator.engine().step(); // handed over, but no mail has run yet
            kill(operator);
            operator.awaitEngines(2);
            send(operator, "a later one");
            operator.stepUntilAnswered(13);

            assertAnswered(operator);
            // Eight ran, each had four tokens; they came along in the run alone and in the run that counts.
            assertThat(operator.engine().keptTokens()).isEqualTo(2 * 8 * 4);
            assertThat(FakeEngines.started()).hasSize(2);
        }
    }

    @Test
    void allAnswersOfARequestGoOn() throws Exception {
        AnswerShape shape = new AnswerShape(3, -1, ReasoningStart.NEVER, false, false);
        PreparedRequest request = Prompts.prepared(
                1, "three", Prompts.exactly(9).toBuilder().temperature(1).build(), shape);
        try (OperatorHarness operator = open(null)) {
            operator.process(request);
            operator.step(4);
            kill(operator);
            operator.stepUntilAnswered(1);

            JsonNode choices = JSON.readTree(operator.completions().get(0)).path("choices");
            assertThat(choices).hasSize(3);
            for (int index = 0; index < 3; index++) {
                assertThat(choices.get(index).at("/message/content").asText())
                        .isEqualTo(Prompts.expectedText(request, index));
            }
        }
    }

    @Test
    void takesRecordsAndCheckpointsWhileTheEngineIsRebuilt() throws Exception {
        OperatorSubtaskState state;
        List<String> deltas;
        try (OperatorHarness operator = open(null)) {
            send(operator, "first");
            operator.step(5);
            CountDownLatch gate = FakeEngines.holdStarts();
            kill(operator);
            OperatorHarness.runMails(operator.flink().getTaskMailbox());
            send(operator, "second");
            state = operator.snapshot(1);
            deltas = new ArrayList<>(operator.deltas());
            gate.countDown();
            operator.awaitEngines(2);
        }
        try (OperatorHarness operator = open(state)) {
            operator.stepUntilAnswered(2);
            deltas.addAll(operator.deltas());
            assertAnswered(operator.completions(), deltas, operator);
        }
    }

    @Test
    void anEngineThatIsRebuiltForATaskThatHasEndedIsClosed() throws Exception {
        CountDownLatch gate;
        try (OperatorHarness operator = open(null)) {
            send(operator, "first");
            operator.step(1);
            gate = FakeEngines.holdStarts();
            kill(operator);
            OperatorHarness.runMails(operator.flink().getTaskMailbox());
            FakeEngines.awaitHeldStart();
            new Thread(gate::countDown).start(); // the operator is closing, or about to
        }
        assertThat(FakeEngines.started()).hasSize(2).noneMatch(FakeEngine::isRunning);
    }

    @Test
    void triesAgainWhenTheNewEngineDoesNotStart() throws Exception {
        try (OperatorHarness operator = open(null)) {
            send(operator, "patient");
            operator.step(2);
            FakeEngines.failStarts(1);
            kill(operator);
            operator.stepUntilAnswered(1);
            assertAnswered(operator);
        }
    }

    @Test
    void failsTheTaskWhenTheEngineFailsTooOften() throws Exception {
        try (OperatorHarness operator = open(null, "max-engine-rebuilds", "2")) {
            send(operator, "unlucky");
            for (int engine = 2; engine <= 3; engine++) {
                kill(operator);
                operator.awaitEngines(engine);
            }
            kill(operator);
            assertThatThrownBy(() -> OperatorHarness.runMails(operator.flink().getTaskMailbox()))
                    .hasStackTraceContaining("failed 3 times within 600 s, more than --max-engine-rebuilds 2 heals")
                    .hasStackTraceContaining("the device is gone");
            assertThat(operator.deadLetters()).isEmpty();
        }
    }

    @Test
    void poisonBecomesADeadLetterAndItsNeighboursAreAnswered() throws Exception {
        try (OperatorHarness operator = open(null)) {
            for (int i = 0; i < 20; i++) {
                send(operator, (i == 11 ? POISON : "") + "prompt " + i);
            }
            operator.stepUntilAnswered(20);

            assertAnswered(operator);
            assertThat(operator.deadLetters().get(0).message())
                    .contains("failed 2 times")
                    .contains("no other request");
            assertThat(FakeEngines.started()).as("it killed two").hasSize(3);
        }
    }

    /** Failures of requests that were given up don't count for the limit: else ten bad records would fail the job. */
    @Test
    void manyPoisonsDontFailTheTask() throws Exception {
        try (OperatorHarness operator = open(null)) {
            for (int i = 0; i < 60; i++) {
                send(operator, (i % 6 == 1 ? POISON : "") + "prompt " + i);
            }
            operator.stepUntilAnswered(60);
            assertAnswered(operator);
            assertThat(operator.deadLetters()).hasSize(10);
        }
    }

    @Test
    void theLastRecordsPoisonIsADeadLetterToo() throws Exception {
        try (OperatorHarness operator = open(null)) {
            send(operator, POISON);
            operator.stepUntilAnswered(1);
            assertAnswered(operator);
            send(operator, "and a good one");
            operator.stepUntilAnswered(2);
            assertAnswered(operator);
        }
    }

    @Test
    void aRestartForgetsNoFailure() throws Exception {
        OperatorSubtaskState state;
        try (OperatorHarness operator = open(null)) {
            for (int i = 0; i < 4; i++) {
                send(operator, (i == 2 ? POISON : "") + "prompt " + i);
            }
            operator.step(1);
            operator.awaitEngines(2);
            state = operator.snapshot(1);
        }
        try (OperatorHarness operator = open(state)) {
            operator.stepUntilAnswered(4);
            assertAnswered(operator);
            assertThat(FakeEngines.started()).as("it killed one more").hasSize(2);
        }
    }

    /** A broken device kills whoever is on it; nobody is given up on such evidence. */
    @Test
    void aBrokenDeviceFailsTheTaskAndNotItsRecords() throws Exception {
        try (OperatorHarness operator = open(null)) {
            for (int i = 0; i < 20; i++) {
                send(operator, "prompt " + i);
            }
            assertThatThrownBy(() -> {
                        for (int engine = 2; ; engine++) {
                            operator.engine().admit();
                            kill(operator);
                            operator.awaitEngines(engine);
                        }
                    })
                    .hasStackTraceContaining("failed 6 times");
            assertThat(operator.deadLetters()).isEmpty();
            assertThat(operator.snapshot(1).getManagedOperatorState()).isNotEmpty();
        }
    }
}
