package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.SamplingParams;
import io.radixflow.schemas.AnswerHead;
import io.radixflow.schemas.AvroAnswers;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.schemas.Prompt;
import io.radixflow.schemas.avro.CompletionRecord;
import io.radixflow.testkit.FakeEngine;
import io.radixflow.text.ReasoningStart;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Several answers, log-probabilities and reasoning, also across a restore. */
class AnswerShapesTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final SamplingParams DRAWN =
            SamplingParams.builder().seed(5).maxTokens(12).ignoreEos(true).build();

    private final PipelineOptions options =
            PipelineOptions.defaults().withAdmission(new AdmissionLimits(Duration.ZERO, 1_000_000, 1_000_000));

    @Test
    void givesEachChoiceItsOwnSeedInOneAnswer() throws Exception {
        PreparedRequest request = Prompts.prepared(1, "three", DRAWN, choices(3, false));
        try (OperatorHarness operator = open(null)) {
            operator.process(request);
            operator.stepUntilIdle();

            JsonNode json = only(operator.completions());
            assertThat(json.path("choices")).hasSize(3);
            List<String> texts = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                assertThat(json.path("choices").get(i).path("index").asInt()).isEqualTo(i);
                texts.add(json.path("choices").get(i).at("/message/content").asText());
                assertThat(texts.get(i)).isEqualTo(Prompts.expectedText(request, i));
            }
            assertThat(texts).doesNotHaveDuplicates();
            assertThat(json.at("/usage/prompt_tokens").asInt()).isEqualTo(5);
            assertThat(json.at("/usage/completion_tokens").asInt()).isEqualTo(36);
        }
    }

    @Test
    void answersInTheFormOfTheRequest() throws Exception {
        PreparedRequest plain = Prompts.prepared(1, "form", DRAWN, choices(2, false));
        try (OperatorHarness operator = open(null)) {
            operator.process(inEnvelope(plain, Prompt.Envelope.AVRO));
            operator.process(inEnvelope(plain, Prompt.Envelope.BATCH_LINE));
            operator.stepUntilIdle();

            List<ResultRecord> results = operator.flink().extractOutputValues();
            CompletionRecord record = AvroAnswers.decode(results.get(0).value());
            assertThat(record.getCustomId()).isEqualTo("prompts-0-1");
            assertThat(record.getChoices().get(1).getText()).isEqualTo(Prompts.expectedText(plain, 1));
            assertThat(record.getChoices().get(1).getTokenIds()).hasSize(12);
            JsonNode line = JSON.readTree(results.get(1).value());
            assertThat(line.at("/response/body/choices/1/message/content").asText())
                    .isEqualTo(Prompts.expectedText(plain, 1));
        }
    }

    private static PreparedRequest inEnvelope(PreparedRequest request, Prompt.Envelope envelope) {
        AnswerHead head = request.head();
        AnswerHead other = new AnswerHead(
                head.kind(), envelope, head.customId(), head.model(), head.createdSeconds(), head.metadataJson());
        return new PreparedRequest(
                request.source(), other, request.shape(), request.promptIds(), request.sampling(), false, null, 0, 0);
    }

    @Test
    void keepsTheRequestsSeedForItsFirstChoice() {
        PreparedRequest request = Prompts.prepared(1, "x", DRAWN, choices(3, false));

        assertThat(request.samplingOf(0)).isSameAs(request.sampling());
        assertThat(request.samplingOf(1).seed()).isEqualTo(RequestSeed.ofChoice(5, 1));
        assertThat(request.samplingOf(2).seed())
                .isNotEqualTo(request.samplingOf(1).seed());
    }

    @Test
    void goesOnWithEveryChoiceAfterARestore() throws Exception {
        SamplingParams mayEnd = SamplingParams.builder().seed(9).maxTokens(200).build();
        PreparedRequest request = Prompts.prepared(1, "many", mayEnd, choices(8, true));
        List<String> deltas = new ArrayList<>();
        OperatorSubtaskState state;
        int shortest = Integer.MAX_VALUE;
        for (int i = 0; i < 8; i++) {
            shortest = Math.min(shortest, Prompts.expectedText(request, i).length());
        }
        try (OperatorHarness operator = open(null)) {
            operator.process(request);
            operator.step(shortest + 2); // at least one choice has ended, not all
            assertThat(operator.completions()).isEmpty();
            assertThat(operator.engine().numUnfinished()).isBetween(1, 7);
            state = operator.snapshot(1);
            deltas.addAll(operator.deltas());
        }
        try (OperatorHarness operator = open(state)) {
            assertThat(operator.engine().numUnfinished()).isBetween(1, 7);
            operator.stepUntilIdle();
            deltas.addAll(operator.deltas());

            JsonNode json = only(operator.completions());
            for (int i = 0; i < 8; i++) {
                assertThat(json.path("choices").get(i).at("/message/content").asText())
                        .isEqualTo(Prompts.expectedText(request, i));
                assertThat(streamed(deltas, i)).isEqualTo(Prompts.expectedText(request, i));
            }
            assertThat(json.at("/choices/0/finish_reason").asText()).isIn("stop", "length");
        }
        int numUsages = 0;
        for (String delta : deltas) {
            numUsages += JSON.readTree(delta).has("usage") ? 1 : 0;
        }
        assertThat(numUsages).isEqualTo(1);
        assertThat(deltas).last().asString().contains("\"usage\"");
    }

    @Test
    void givesUpAllChoicesWhenTheDeadlinePasses() throws Exception {
        PreparedRequest late = Prompts.prepared(1, "late", DRAWN, choices(3, true));
        PipelineOptions hasty = options.withRequestTimeout(Duration.ofNanos(1));
        try (OperatorHarness operator = new OperatorHarness(FakeEngines.stepped(2), hasty, null)) {
            operator.process(late);
            operator.step(1);

            assertThat(operator.deadLetters())
                    .singleElement()
                    .satisfies(letter -> assertThat(letter.code()).isEqualTo(ErrorCode.REQUEST_TIMEOUT));
            assertThat(operator.completions()).isEmpty();
            assertThat(operator.engine().numUnfinished()).isZero();
            Map<Integer, String> ends = new TreeMap<>();
            for (String delta : operator.deltas()) {
                JsonNode choice = JSON.readTree(delta).at("/choices/0");
                if (!choice.path("finish_reason").isNull()) {
                    ends.put(
                            choice.path("index").asInt(),
                            choice.path("finish_reason").asText());
                }
            }
            assertThat(ends).isEqualTo(Map.of(0, "abort", 1, "abort", 2, "abort"));
            assertThat(operator.snapshot(1).getManagedOperatorState())
                    .allSatisfy(handle -> assertThat(
                                    handle.getStateNameToPartitionOffsets().values())
                            .allSatisfy(
                                    offsets -> assertThat(offsets.getOffsets()).isEmpty()));
        }
    }

    @Test
    void refusesAllChoicesWhenTheEngineRefusesOne() throws Exception {
        try (OperatorHarness operator = open(null)) {
            operator.process(Prompts.prepared(1, "!no", DRAWN, choices(4, false)));
            operator.process(Prompts.prepared(2, "yes", DRAWN, choices(2, false)));
            operator.stepUntilIdle();

            assertThat(operator.deadLetters())
                    .singleElement()
                    .satisfies(letter -> assertThat(letter.offset()).isEqualTo(1));
            assertThat(operator.completions()).hasSize(1);
        }
    }

    @Test
    void sendsAgainTheChoicesThatAFullEngineDidNotTake() throws Exception {
        PreparedRequest request = Prompts.prepared(1, "queue", DRAWN, choices(6, false));
        try (OperatorHarness operator = new OperatorHarness(FakeEngines.stepped(1, 1), options, null)) {
            operator.process(request);
            while (operator.completions().isEmpty()) {
                operator.step(1);
            }
            assertThat(only(operator.completions())
                            .at("/choices/5/message/content")
                            .asText())
                    .isEqualTo(Prompts.expectedText(request, 5));
        }
    }

    @Test
    void keepsLogprobsOverARestoreAndStreamsThemOnce() throws Exception {
        SamplingParams scored = DRAWN.toBuilder().logprobs(2).build();
        AnswerShape shape = new AnswerShape(1, 0, ReasoningStart.NEVER, true, true);
        PreparedRequest request = Prompts.prepared(1, "score", scored, shape);
        List<String> deltas = new ArrayList<>();
        OperatorSubtaskState state;
        try (OperatorHarness operator = open(null)) {
            operator.process(request);
            operator.step(5);
            state = operator.snapshot(1);
            deltas.addAll(operator.deltas());
        }
        try (OperatorHarness operator = open(state)) {
            operator.stepUntilIdle();
            deltas.addAll(operator.deltas());
            JsonNode choice = only(operator.completions()).at("/choices/0");
            JsonNode content = choice.at("/logprobs/content");
            String text = Prompts.expectedText(request);

            assertThat(content).hasSize(12);
            StringBuilder streamed = new StringBuilder();
            for (String delta : deltas) {
                for (JsonNode token : JSON.readTree(delta).at("/choices/0/logprobs/content")) {
                    streamed.append(token.path("token").asText());
                }
            }
            assertThat(streamed).hasToString(text);
            for (int i = 0; i < 12; i++) {
                int token = text.charAt(i);
                assertThat(content.get(i).path("token").asText()).isEqualTo(text.substring(i, i + 1));
                assertThat(content.get(i).path("logprob").floatValue()).isEqualTo(FakeEngine.logprob(token));
                assertThat(content.get(i).path("top_logprobs")).hasSize(2);
                assertThat(content.get(i).at("/top_logprobs/1/token").asText())
                        .isEqualTo(Character.toString(token + 1));
            }
            JsonNode prompt = choice.path("prompt_logprobs");
            assertThat(prompt).hasSize(5);
            assertThat(prompt.get(0).isNull()).isTrue();
            assertThat(prompt.get(1).path("99").path("logprob").floatValue()).isEqualTo(FakeEngine.logprob('c'));
            assertThat(prompt.get(1).path("99").path("decoded_token").asText()).isEqualTo("c");
        }
    }

    @Test
    void tellsReasoningFromContentInAnswersAndChunks() throws Exception {
        // No closing tag comes out of the fake engine: all is reasoning.
        AnswerShape shape = new AnswerShape(1, SamplingParams.NO_LOGPROBS, ReasoningStart.AT_ONCE, true, true);
        PreparedRequest request = Prompts.prepared(1, "think", DRAWN, shape);
        List<String> deltas = new ArrayList<>();
        OperatorSubtaskState state;
        try (OperatorHarness operator = open(null)) {
            operator.process(request);
            operator.step(4);
            state = operator.snapshot(1);
            deltas.addAll(operator.deltas());
        }
        try (OperatorHarness operator = open(state)) {
            operator.stepUntilIdle();
            deltas.addAll(operator.deltas());
            JsonNode json = only(operator.completions());

            assertThat(json.at("/choices/0/message/reasoning_content").asText())
                    .isEqualTo(Prompts.expectedText(request));
            assertThat(json.at("/choices/0/message/content").asText()).isEmpty();
            assertThat(json.at("/usage/completion_tokens_details/reasoning_tokens")
                            .asInt())
                    .isEqualTo(12);
            StringBuilder streamed = new StringBuilder();
            for (String delta : deltas) {
                streamed.append(JSON.readTree(delta)
                        .at("/choices/0/delta/reasoning_content")
                        .asText());
            }
            assertThat(streamed).hasToString(Prompts.expectedText(request));
        }
    }

    @Test
    void splitsReasoningAlikeWhereverARestoreCutsIt() {
        String text = "<think>\nOne two.\n</think>\n\nThree four";
        for (int chunked = 0; chunked <= text.length(); chunked++) {
            for (int seen = chunked; seen <= text.length(); seen += 3) {
                ChoiceReasoning first = new ChoiceReasoning(ReasoningStart.IF_TAGGED, ChoiceReasoning.UNKNOWN);
                first.accept(text.substring(0, chunked), 1);
                String reasoning = first.takeReasoning();
                String content = first.takeContent();

                ChoiceReasoning restored = new ChoiceReasoning(ReasoningStart.IF_TAGGED, first.len());
                restored.restore(text.substring(0, chunked), text.substring(chunked, seen));
                restored.accept(text.substring(seen), 9);
                restored.finish();

                assertThat(reasoning + restored.takeReasoning()).isEqualTo("One two.");
                assertThat(content + restored.takeContent()).isEqualTo("Three four");
            }
        }
    }

    @Test
    void countsTheTokensBeforeTheContentAsReasoning() {
        ChoiceReasoning reasoning = new ChoiceReasoning(ReasoningStart.AT_ONCE, ChoiceReasoning.UNKNOWN);
        String[] tokens = {"so", "</think>", "\n\n", "yes", "!"};
        for (int i = 0; i < tokens.length; i++) {
            reasoning.accept(tokens[i], i + 1);
        }

        assertThat(reasoning.lenOf(tokens.length)).isEqualTo(3);
        ChoiceReasoning none = new ChoiceReasoning(ReasoningStart.IF_TAGGED, ChoiceReasoning.UNKNOWN);
        none.accept("yes", 1);
        assertThat(none.lenOf(1)).isZero();
    }

    private static AnswerShape choices(int number, boolean isStream) {
        return new AnswerShape(number, SamplingParams.NO_LOGPROBS, ReasoningStart.NEVER, isStream, true);
    }

    private static JsonNode only(List<String> completions) throws Exception {
        assertThat(completions).hasSize(1);
        return JSON.readTree(completions.get(0));
    }

    private static String streamed(List<String> deltas, int index) throws Exception {
        StringBuilder text = new StringBuilder();
        for (String delta : deltas) {
            JsonNode choice = JSON.readTree(delta).at("/choices/0");
            if (choice.path("index").asInt() == index) {
                text.append(choice.at("/delta/content").asText());
            }
        }
        return text.toString();
    }

    private OperatorHarness open(@Nullable OperatorSubtaskState state) throws Exception {
        return new OperatorHarness(FakeEngines.stepped(16), options, state);
    }
}
