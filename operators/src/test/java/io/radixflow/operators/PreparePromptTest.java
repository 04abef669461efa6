package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.EngineConfig;
import io.radixflow.schemas.AvroPromptWriter;
import io.radixflow.schemas.DeadLetter;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.schemas.Prompt;
import io.radixflow.schemas.RecordFormat;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.streaming.api.operators.ProcessOperator;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PreparePromptTest {

    private OneInputStreamOperatorTestHarness<SourceRecord, PreparedRequest> harness;

    @BeforeEach
    void open() throws Exception {
        open(PipelineOptions.defaults());
    }

    private void open(PipelineOptions options) throws Exception {
        PipelineOptions seeded = options.withEngineConfig(EngineConfig.of(Map.of("random-seed", "42")));
        harness = new OneInputStreamOperatorTestHarness<>(
                new ProcessOperator<>(new PreparePrompt(FakeEngines.stepped(1), seeded)));
        harness.setup(new PreparedRequestSerializer());
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    @Test
    void preparesARequest() throws Exception {
        PreparedRequest request = prepare(
                "{\"prompt\":\"abc\",\"max_tokens\":9,\"temperature\":0.5,\"custom_id\":\"x\",\"cache_salt\":\"s\"}");

        assertThat(request.promptIds()).containsExactly('a', 'b', 'c');
        assertThat(request.head().customId()).isEqualTo("x");
        assertThat(request.head().model()).isEqualTo("fake");
        assertThat(request.cacheSalt()).isEqualTo("s");
        assertThat(request.sampling().maxTokens()).isEqualTo(9);
        assertThat(request.sampling().temperature()).isEqualTo(0.5f);
        assertThat(request.sampling().seed()).isEqualTo(RequestSeed.derive(42, "x"));
        assertThat(request.isMaxTokensOpen()).isFalse();
        assertThat(request.head().createdSeconds()).isEqualTo(Prompts.CREATED_MILLIS / 1000);
    }

    @Test
    void fillsInWhatTheRequestLeavesOut() throws Exception {
        PreparedRequest request = prepare("{\"prompt\":\"abc\"}");

        assertThat(request.head().customId()).isEqualTo("prompts-0-17");
        assertThat(request.sampling().maxTokens()).isEqualTo(1_024 - 3);
        assertThat(request.isMaxTokensOpen()).isTrue();
        assertThat(request.sampling().seed()).isEqualTo(RequestSeed.derive(42, "prompts-0-17"));
    }

    @Test
    void keepsAGivenSeed() throws Exception {
        assertThat(prepare("{\"prompt\":\"abc\",\"seed\":5}").sampling().seed()).isEqualTo(5);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            nonsense                                          | INVALID_JSON            | parse    | not valid JSON
            {"prompt":"x","temperature":-1}                   | INVALID_REQUEST         | parse    | temperature
            {"prompt":"x","suffix":"a"}                       | UNSUPPORTED_PARAMETER   | parse    | suffix
            {"messages":[{"role":"user","content":"Hi"}]}     | INVALID_REQUEST         | tokenize | chat template
            {"prompt":"x","stop_token_ids":[300]}             | INVALID_REQUEST         | tokenize | stop_token_ids must be below
            {"prompt":[300]}                                  | INVALID_REQUEST         | tokenize | prompt must be below
            {"prompt":"x","logit_bias":{"257":1}}             | INVALID_REQUEST         | tokenize | logit_bias must be below
            {"prompt":"x","allowed_token_ids":[257]}          | INVALID_REQUEST         | tokenize | allowed_token_ids must be below
            {"prompt":"x","allowed_token_ids":[5,5]}          | INVALID_REQUEST         | tokenize | allowed_token_ids must name a token once
            {"method":"POST","url":"/v1/completions","body":{"prompt":""}} | INVALID_REQUEST | parse  | in body: prompt
            {"prompt":"xx","max_tokens":1023}                 | CONTEXT_LENGTH_EXCEEDED | tokenize | ask for at most 1022 tokens
            {"prompt":"xx","min_tokens":1023}                 | CONTEXT_LENGTH_EXCEEDED | tokenize | min_tokens is 1023""")
    void turnsWhatCantBeAnsweredIntoDeadLetters(String value, ErrorCode code, String stage, String words)
            throws Exception {
        DeadLetter letter = refuse(value);

        assertThat(letter.code()).isEqualTo(code);
        assertThat(letter.stage()).isEqualTo(stage);
        assertThat(letter.message()).contains(words);
        assertThat(letter.value()).isEqualTo(Prompts.source(17, value).value());
        assertThat(letter.key()).isEqualTo(Prompts.source(17, value).key());
        assertThat(letter.offset()).isEqualTo(17);
        assertThat(letter.headers()).hasSize(1);
    }

    @Test
    void preparesABatchLine() throws Exception {
        PreparedRequest request = prepare(
                "{\"custom_id\":\"b\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{\"prompt\":[97,98]}}");

        assertThat(request.promptIds()).containsExactly('a', 'b');
        assertThat(request.head().customId()).isEqualTo("b");
        assertThat(request.head().envelope()).isEqualTo(Prompt.Envelope.BATCH_LINE);
    }

    @Test
    void preparesAvroRecordsAndRefusesWhatIsNone() throws Exception {
        close();
        open(PipelineOptions.defaults().withFormat(RecordFormat.AVRO));
        byte[] record = new AvroPromptWriter()
                .write("{\"custom_id\":\"a\",\"prompt\":\"abc\",\"n\":2}".getBytes(StandardCharsets.UTF_8));
        SourceRecord source = new SourceRecord(null, record, List.of(), "prompts", 0, 3, SourceRecord.NO_TIMESTAMP);
        harness.processElement(source, 0);

        assertThat(harness.extractOutputValues()).singleElement().satisfies(request -> {
            assertThat(request.promptIds()).containsExactly('a', 'b', 'c');
            assertThat(request.shape().numChoices()).isEqualTo(2);
            assertThat(request.head().customId()).isEqualTo("a");
            assertThat(request.head().envelope()).isEqualTo(Prompt.Envelope.AVRO);
        });
        harness.processElement(Prompts.source(17, "{\"prompt\":\"abc\"}"), 0);
        assertThat(harness.getSideOutput(SideOutputs.DEAD_LETTERS))
                .singleElement()
                .satisfies(letter -> assertThat(letter.getValue().code()).isEqualTo(ErrorCode.INVALID_REQUEST));
    }

    @Test
    void refusesAPromptThatLeavesNoRoomForAnAnswer() throws Exception {
        DeadLetter letter = refuse("{\"prompt\":\"" + "x".repeat(1_024) + "\"}");

        assertThat(letter.code()).isEqualTo(ErrorCode.CONTEXT_LENGTH_EXCEEDED);
        assertThat(letter.message()).contains("1024 tokens").contains("shorten the prompt");
    }

    private PreparedRequest prepare(String value) throws Exception {
        harness.processElement(Prompts.source(17, value), 0);
        assertThat(harness.extractOutputValues()).hasSize(1);
        return harness.extractOutputValues().get(0);
    }

    private DeadLetter refuse(String value) throws Exception {
        harness.processElement(Prompts.source(17, value), 0);
        assertThat(harness.extractOutputValues()).isEmpty();
        List<DeadLetter> letters = new ArrayList<>();
        harness.getSideOutput(SideOutputs.DEAD_LETTERS).forEach(element -> letters.add(element.getValue()));
        assertThat(letters).hasSize(1);
        return letters.get(0);
    }
}
