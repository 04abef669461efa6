package io.radixflow.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.radixflow.schemas.avro.ChatMessage;
import io.radixflow.schemas.avro.PromptRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumWriter;
import org.junit.jupiter.api.Test;

class AvroPromptsTest {

    private final PromptParser parser = new PromptParser(RecordFormat.AVRO);

    @Test
    void takesARecordOfAnAvroProducer() throws Exception {
        PromptRecord record = new PromptRecord();
        ChatMessage message = new ChatMessage();
        message.setRole("user");
        message.setContent("Hi");
        record.setMessages(List.of(message));
        record.setCustomId("a-1");
        record.setTemperature(0.5);
        record.setLogprobs(true);
        record.setTopLogprobs(2);
        record.setIncludeUsage(false);
        record.setMetadata("{\"k\": [1.50]}");
        Prompt prompt = parser.parse(encode(record));

        assertThat(prompt.envelope()).isEqualTo(Prompt.Envelope.AVRO);
        assertThat(prompt.customId()).isEqualTo("a-1");
        assertThat(prompt.input().messages().get(0)).containsEntry("content", "Hi");
        assertThat(prompt.sampling().temperature()).isEqualTo(0.5f);
        assertThat(prompt.output().topLogprobs()).isEqualTo(2);
        assertThat(prompt.output().hasStreamUsage()).isFalse();
        assertThat(prompt.metadataJson()).isEqualTo("{\"k\":[1.50]}");
        assertThat(prompt.unknownFields()).isEmpty();
    }

    @Test
    void takesTokenIdsAndACompletionsLogprobs() throws Exception {
        PromptRecord record = new PromptRecord();
        record.setPrompt(List.of(4, 5));
        record.setLogprobs(true);
        Prompt prompt = parser.parse(encode(record));

        assertThat(prompt.input().ids()).containsExactly(4, 5);
        assertThat(prompt.output().topLogprobs()).isZero();
    }

    @Test
    void checksARecordsFieldsLikeABodys() throws Exception {
        PromptRecord record = new PromptRecord();
        record.setPrompt("x");
        record.setTopP(1.5);
        assertThat(refusal(encode(record)).reason()).startsWith("top_p must be a number in (0, 1], got 1.5");

        record.setTopP(Double.NaN);
        assertThat(refusal(encode(record)).reason()).startsWith("top_p must be");

        record.setTopP(null);
        record.setMetadata("[]");
        assertThat(refusal(encode(record)).reason()).startsWith("metadata must be an object");
        record.setMetadata("{");
        assertThat(refusal(encode(record)).reason()).startsWith("metadata must be JSON text");

        record.setMetadata(null);
        record.setRegex("a+");
        record.setEbnf("root ::= \"a\"");
        assertThat(refusal(encode(record)).reason()).contains("regex").contains("ebnf");
    }

    @Test
    void refusesWhatIsNoRecord() throws Exception {
        PromptRecord record = new PromptRecord();
        record.setPrompt("x");
        byte[] good = encode(record);
        byte[] longer = java.util.Arrays.copyOf(good, good.length + 1);

        assertThat(refusal(new byte[0]).reason()).contains("empty");
        RecordException json = refusal("{\"prompt\": \"x\"}".getBytes(StandardCharsets.UTF_8));
        assertThat(json.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(json.reason()).endsWith("a union has no such branch");
        assertThat(refusal(longer).reason()).endsWith("1 bytes follow the record");
        assertThat(refusal(java.util.Arrays.copyOf(good, good.length - 1)).reason())
                .startsWith("the value is not Avro's binary encoding of PromptRecord");
    }

    @Test
    void allocatesNothingForALengthThatLies() {
        byte[] hugeString = {2, (byte) 0xfe, (byte) 0xff, (byte) 0xff, (byte) 0xff, 15, 'x'};
        byte[] hugeList = {0, 0, 2, (byte) 0xfe, (byte) 0xff, (byte) 0xff, (byte) 0xff, 15, 0};
        for (byte[] bytes : List.of(hugeString, hugeList)) {
            long before = allocatedBytes();
            assertThat(refusal(bytes).reason()).contains("longer than the record");
            assertThat(allocatedBytes() - before).isLessThan(1 << 20);
        }
    }

    private static long allocatedBytes() {
        return ((com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean())
                .getCurrentThreadAllocatedBytes();
    }

    private RecordException refusal(byte[] value) {
        RecordException refusal = catchThrowableOfType(RecordException.class, () -> parser.parse(value));
        assertThat(refusal).as("refusal").isNotNull();
        return refusal;
    }

    static byte[] encode(PromptRecord record) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryEncoder out = EncoderFactory.get().binaryEncoder(bytes, null);
        new SpecificDatumWriter<>(PromptRecord.class).write(record, out);
        out.flush();
        return bytes.toByteArray();
    }
}
