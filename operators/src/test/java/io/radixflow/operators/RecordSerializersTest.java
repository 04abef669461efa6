package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.JsonStyle;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.StepOutput;
import io.radixflow.operators.InFlightChoice.Progress;
import io.radixflow.schemas.AnswerHead;
import io.radixflow.schemas.DeadLetter;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.schemas.Prompt;
import io.radixflow.schemas.RecordHeader;
import io.radixflow.schemas.StopMatch;
import io.radixflow.text.ReasoningStart;
import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.List;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;

class RecordSerializersTest {

    private static final SourceRecord BARE =
            new SourceRecord(null, null, List.of(), "t", 1, 2, SourceRecord.NO_TIMESTAMP);

    @Test
    void readBackWhatTheyWrote() throws IOException {
        assertSurvives(BARE, new SourceRecordSerializer());
        assertSurvives(Prompts.source(5, "{}"), new SourceRecordSerializer());
        assertSurvives(
                new ResultRecord(
                        null, new byte[] {1, 2}, List.of(new RecordHeader("h", null)), -3, SourceRecord.NO_TIMESTAMP),
                new ResultRecordSerializer());
        assertSurvives(
                new DeadLetter(null, null, List.of(), ErrorCode.REQUEST_TIMEOUT, "é", "inference", "t", 3, 4),
                new DeadLetterSerializer());
        assertSurvives(goldenRequest(), new PreparedRequestSerializer());
        assertSurvives(withGrammar(goldenRequest(), false), new PreparedRequestSerializer());
    }

    private static <T> void assertSurvives(T record, RecordSerializer<T> serializer) throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(64);
        serializer.serialize(record, out);
        DataOutputSerializer copied = new DataOutputSerializer(64);
        serializer.copy(new DataInputDeserializer(out.getCopyOfBuffer()), copied);
        T read = serializer.deserialize(new DataInputDeserializer(copied.getCopyOfBuffer()));
        assertThat(read).usingRecursiveComparison().isEqualTo(record);
    }

    @Test
    void refuseBytesOfALaterRelease() {
        assertThatThrownBy(() -> new SourceRecordSerializer().deserialize(new DataInputDeserializer(new byte[] {2, 0})))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("a later release");
        assertThatThrownBy(() -> new InFlightRequestSerializer().deserialize(6, new byte[0]))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("version 6");
    }

    @Test
    void readResultsOfVersion1() throws IOException {
        byte[] version1 = HexFormat.of().parseHex("01ffffffff0000000201020000000000000000000000 07".replace(" ", ""));

        assertThat(new ResultRecordSerializer().deserialize(new DataInputDeserializer(version1)))
                .usingRecursiveComparison()
                .isEqualTo(new ResultRecord(null, new byte[] {1, 2}, List.of(), 0, 7));
    }

    @Test
    void readInFlightRequestsOfVersion1() throws IOException {
        InFlightRequest read = new InFlightRequestSerializer().deserialize(1, golden(1));

        assertThat(read.request()).usingRecursiveComparison().isEqualTo(version1Request());
        assertThat(read.cachedLen()).isEqualTo(2);
        assertThat(read.elapsedNanos()).isEqualTo(18);
        assertThat(read.choices())
                .singleElement()
                .satisfies(choice -> assertThat(choice.progress())
                        .usingRecursiveComparison()
                        .isEqualTo(new Progress(
                                new int[] {16, 17},
                                new byte[] {'o', 'k'},
                                1,
                                1,
                                true,
                                null,
                                null,
                                ChoiceReasoning.UNKNOWN,
                                null)));
    }

    @Test
    void readInFlightRequestsOfVersion2() throws IOException {
        InFlightRequest read = new InFlightRequestSerializer().deserialize(2, golden(2));
        assertIsGolden(read, goldenRequest());
        assertThat(read.numEngineFailures()).isZero();
    }

    @Test
    void readInFlightRequestsOfVersion3() throws IOException {
        InFlightRequest read = new InFlightRequestSerializer().deserialize(3, golden(3));
        assertIsGolden(read, goldenRequest());
        assertThat(read.numEngineFailures()).isEqualTo(19);
    }

    @Test
    void readInFlightRequestsOfVersion4() throws IOException {
        InFlightRequest read = new InFlightRequestSerializer().deserialize(4, golden(4));
        assertIsGolden(read, withGrammar(goldenRequest(), false));
        assertThat(read.numEngineFailures()).isEqualTo(19);
    }

    @Test
    void readAndWriteInFlightRequestsOfVersion5() throws IOException {
        InFlightRequest read = new InFlightRequestSerializer().deserialize(5, golden(5));
        assertIsGolden(read, withGrammar(goldenRequest(), true));
        assertThat(HexFormat.of().formatHex(new InFlightRequestSerializer().serialize(read)))
                .isEqualTo(HexFormat.of().formatHex(golden(5)));
    }

    private static void assertIsGolden(InFlightRequest read, PreparedRequest request) {
        InFlightRequest expected = goldenInFlight();

        assertThat(read.request()).usingRecursiveComparison().isEqualTo(request);
        assertThat(read.promptScores()).satisfies(scores -> {
            assertThat(scores.len()).isEqualTo(3);
            assertThat(scores.logprob(1)).isEqualTo(-0.5f);
            assertThat(scores.alternativeId(1, 0)).isEqualTo(21);
            assertThat(scores.alternativeLogprob(2, 0)).isEqualTo(-1.5f);
        });
        assertThat(read.choices()).hasSize(2);
        for (int i = 0; i < 2; i++) {
            InFlightChoice choice = read.choices().get(i);
            assertThat(choice.outputIds()).isEqualTo(expected.choices().get(i).outputIds());
            assertThat(choice.text()).isEqualTo(expected.choices().get(i).text());
            assertThat(choice.finish()).isEqualTo(expected.choices().get(i).finish());
            assertThat(choice.stop()).isEqualTo(expected.choices().get(i).stop());
        }
    }

    private static byte[] golden(int version) throws IOException {
        try (InputStream in = RecordSerializersTest.class.getResourceAsStream(
                "/golden/state/in-flight-request-v" + version + ".hex")) {
            assertThat(in).isNotNull();
            return HexFormat.of()
                    .parseHex(new String(in.readAllBytes(), java.nio.charset.StandardCharsets.US_ASCII).strip());
        }
    }

    private static SamplingParams version1Sampling() {
        return SamplingParams.builder()
                .temperature(0.5f)
                .topP(0.9f)
                .topK(40)
                .minP(0.1f)
                .presencePenalty(1f)
                .frequencyPenalty(-1f)
                .repetitionPenalty(1.1f)
                .maxTokens(30)
                .minTokens(2)
                .ignoreEos(true)
                .seed(-8L)
                .stop(List.of("stop", "é"))
                .stopTokenIds(new int[] {9, 10})
                .skipSpecialTokens(false)
                .build();
    }

    /** What the golden files hold since version 2; those since version 4 have a grammar, too. */
    private static PreparedRequest goldenRequest() {
        SamplingParams sampling = version1Sampling().toBuilder()
                .noStopTrim(true)
                .logprobs(1)
                .logitBias(new int[] {4, 7}, new float[] {-100, 2.5f})
                .badWords(List.of(new int[] {5}, new int[] {6, 8}))
                .allowedTokenIds(new int[] {4, 5, 6})
                .build();
        AnswerHead head = new AnswerHead(Prompt.Kind.COMPLETION, Prompt.Envelope.AVRO, "id", "model", 14, "{\"a\":1}");
        AnswerShape shape = new AnswerShape(2, 1, ReasoningStart.IF_TAGGED, true, false);
        return new PreparedRequest(goldenSource(), head, shape, new int[] {11, 12, 13}, sampling, true, "salt", -6, 15);
    }

    private static PreparedRequest withGrammar(PreparedRequest request, boolean isAnyOrder) {
        GrammarSpec grammar = new GrammarSpec(
                GrammarSpec.Kind.JSON_SCHEMA,
                "{\"const\":\"é\"}",
                true,
                new JsonStyle("[ ]?", isAnyOrder),
                GrammarSpec.Reasoning.IF_TAGGED);
        return new PreparedRequest(
                request.source(),
                request.head(),
                request.shape(),
                request.promptIds(),
                request.sampling().toBuilder().grammar(grammar).build(),
                request.isMaxTokensOpen(),
                request.cacheSalt(),
                request.priority(),
                request.routingKey());
    }

    /** What the golden file of version 1 holds. */
    private static PreparedRequest version1Request() {
        AnswerHead head = new AnswerHead(Prompt.Kind.CHAT, Prompt.Envelope.BODY, "id", "model", 0, "{\"a\":1}");
        return new PreparedRequest(
                goldenSource(),
                head,
                AnswerShape.plain(true, false),
                new int[] {11, 12, 13},
                version1Sampling(),
                true,
                "salt",
                0,
                15);
    }

    private static SourceRecord goldenSource() {
        return new SourceRecord(
                new byte[] {1}, new byte[] {2, 3}, List.of(new RecordHeader("h", new byte[] {4})), "prompts", 5, 6, 7);
    }

    private static InFlightRequest goldenInFlight() {
        PromptLogprobs promptScores = new PromptLogprobs(0, 3, 1);
        promptScores.set(1, -0.5f, new int[] {21}, new float[] {-0.25f}, 0);
        promptScores.set(2, -1.5f, new int[] {13}, new float[] {-1.5f}, 0);
        Progress ended = new Progress(
                new int[] {16, 17},
                new byte[] {'o', 'k'},
                2,
                2,
                true,
                FinishReason.STOP,
                new StopMatch(-1, "stop"),
                1,
                scores(16, 17));
        Progress running = new Progress(new int[] {18}, new byte[] {'y'}, 0, 0, false, null, null, 0, scores(18));
        return new InFlightRequest(
                withGrammar(goldenRequest(), true), 2, promptScores, 18, 19, List.of(ended, running));
    }

    private static GeneratedScores scores(int... tokens) {
        GeneratedScores scores = new GeneratedScores();
        StepOutput output = new StepOutput(released -> {});
        for (int i = 0; i < tokens.length; i++) {
            output.add(1, tokens[i], null, 0, 0);
            output.setLogprobs(-tokens[i], new int[] {tokens[i], 3}, new float[] {-tokens[i], -99}, 0, 2);
            scores.add(output, i);
        }
        return scores;
    }

    /** Prints the golden bytes of the current version; a new version gets a new file, old files stay. */
    public static void main(String[] args) throws IOException {
        System.out.println(HexFormat.of().formatHex(new InFlightRequestSerializer().serialize(goldenInFlight())));
    }
}
