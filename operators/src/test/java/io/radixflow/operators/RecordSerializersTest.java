package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.SamplingParams;
import io.radixflow.operators.InFlightRequest.Progress;
import io.radixflow.schemas.DeadLetter;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.schemas.PromptRecord;
import io.radixflow.schemas.RecordHeader;
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
                        null, new byte[] {1, 2}, List.of(new RecordHeader("h", null)), SourceRecord.NO_TIMESTAMP),
                new ResultRecordSerializer());
        assertSurvives(
                new DeadLetter(null, null, List.of(), ErrorCode.REQUEST_TIMEOUT, "é", "inference", "t", 3, 4),
                new DeadLetterSerializer());
        assertSurvives(goldenRequest(), new PreparedRequestSerializer());
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
        assertThatThrownBy(() -> new InFlightRequestSerializer().deserialize(3, new byte[0]))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("version 3");
    }

    @Test
    void readInFlightRequestsOfVersion1() throws IOException {
        InFlightRequest read = new InFlightRequestSerializer().deserialize(1, golden(1));

        assertThat(read.request()).usingRecursiveComparison().isEqualTo(goldenRequest(version1Sampling()));
        assertThat(read.progress()).usingRecursiveComparison().isEqualTo(goldenProgress());
    }

    @Test
    void readAndWriteInFlightRequestsOfVersion2() throws IOException {
        InFlightRequest read = new InFlightRequestSerializer().deserialize(2, golden(2));

        assertThat(read.request()).usingRecursiveComparison().isEqualTo(goldenRequest());
        assertThat(read.progress()).usingRecursiveComparison().isEqualTo(goldenProgress());
        assertThat(HexFormat.of().formatHex(new InFlightRequestSerializer().serialize(read)))
                .isEqualTo(HexFormat.of().formatHex(golden(2)));
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

    /** What the newest golden file holds. */
    private static PreparedRequest goldenRequest() {
        return goldenRequest(version1Sampling().toBuilder()
                .noStopTrim(true)
                .logprobs(3)
                .logitBias(new int[] {4, 7}, new float[] {-100, 2.5f})
                .badWords(List.of(new int[] {5}, new int[] {6, 8}))
                .allowedTokenIds(new int[] {4, 5, 6})
                .build());
    }

    private static PreparedRequest goldenRequest(SamplingParams sampling) {
        SourceRecord source = new SourceRecord(
                new byte[] {1}, new byte[] {2, 3}, List.of(new RecordHeader("h", new byte[] {4})), "prompts", 5, 6, 7);
        return new PreparedRequest(
                source,
                PromptRecord.Kind.CHAT,
                "id",
                "model",
                "{\"a\":1}",
                new int[] {11, 12, 13},
                sampling,
                true,
                "salt",
                true,
                false,
                14,
                15);
    }

    private static Progress goldenProgress() {
        return new Progress(new int[] {16, 17}, new byte[] {'o', 'k'}, 1, 1, true, 2, 18);
    }

    /** Prints the golden bytes of the current version; a new version gets a new file, old files stay. */
    public static void main(String[] args) throws IOException {
        byte[] bytes =
                new InFlightRequestSerializer().serialize(new InFlightRequest(goldenRequest(), goldenProgress()));
        System.out.println(HexFormat.of().formatHex(bytes));
    }
}
