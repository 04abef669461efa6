package io.radixflow.schemas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.radixflow.schemas.avro.PromptRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfluentPromptsTest {

    /** An older or foreign schema: narrower types, other order, no unions, fields that a PromptRecord doesn't have. */
    private static final String FOREIGN = """
            {"type":"record","name":"PromptRecord","namespace":"io.radixflow.schemas.avro","fields":[
            {"name":"trace","type":{"type":"array","items":{"type":"map","values":["null","string"]}}},
            {"name":"prompt","type":"string"},
            {"name":"temperature","type":["null","float"]},
            {"name":"blob","type":"bytes"},
            {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A","B"]}},
            {"name":"hash","type":{"type":"fixed","name":"Hash","size":4}},
            {"name":"max_tokens","type":"int"}]}""";

    private StubRegistry registry;

    @BeforeEach
    void startRegistry() throws IOException {
        registry = StubRegistry.start();
    }

    @AfterEach
    void stopRegistry() {
        registry.close();
    }

    @Test
    void takesARecordOfTheSameSchema() throws Exception {
        registry.put(7, PromptRecord.getClassSchema().toString());
        byte[] plain = new AvroPromptWriter().write("{\"custom_id\":\"a\",\"prompt\":\"Hi\"}".getBytes(UTF_8));
        byte[] framed = ConfluentFrame.wrap(7, plain);
        Prompt prompt = parser().parse(framed);

        assertThat(framed).startsWith(0, 0, 0, 0, 7).endsWith(plain);
        assertThat(prompt.customId()).isEqualTo("a");
        assertThat(prompt.input().text()).isEqualTo("Hi");
        assertThat(prompt.envelope()).isEqualTo(Prompt.Envelope.AVRO);
    }

    @Test
    void resolvesTheWritersSchemaAndSkipsWhatItDoesNotKnow() throws Exception {
        registry.put(0x01020304, FOREIGN);
        Prompt prompt = parser().parse(ConfluentFrame.wrap(0x01020304, foreign("Hi")));

        assertThat(prompt.input().text()).isEqualTo("Hi");
        assertThat(prompt.sampling().temperature()).isEqualTo(0.5f);
        assertThat(prompt.stops().maxTokens()).isEqualTo(9);
        assertThat(prompt.customId()).isNull();
    }

    @Test
    void asksForASchemaOnce() throws Exception {
        registry.put(1, FOREIGN);
        PromptParser parser = parser();
        parser.parse(ConfluentFrame.wrap(1, foreign("a")));
        parser.parse(ConfluentFrame.wrap(1, foreign("b")));
        refusal(parser, ConfluentFrame.wrap(2, foreign("b")));
        refusal(parser, ConfluentFrame.wrap(2, foreign("b")));

        assertThat(registry.requests()).containsExactly("GET /schemas/ids/1 ", "GET /schemas/ids/2 ");
    }

    @Test
    void asksAgainForAnIdThatWasNotThere() throws Exception {
        AtomicLong nanos = new AtomicLong();
        AvroPrompts prompts = new AvroPrompts(new WriterSchemas(registry.access(), millis -> {}, nanos::get));
        byte[] framed = ConfluentFrame.wrap(1, foreign("a"));
        assertThatThrownBy(() -> prompts.body(framed)).isInstanceOf(RecordException.class);
        registry.put(1, FOREIGN);
        assertThatThrownBy(() -> prompts.body(framed)).isInstanceOf(RecordException.class);
        nanos.set(11_000_000_000L);

        assertThat(prompts.body(framed).path("prompt").textValue()).isEqualTo("a");
    }

    @Test
    void waitsForARegistryThatIsDownOrRefusesUs() throws Exception {
        registry.put(1, FOREIGN);
        List<Long> pauses = new ArrayList<>();
        AvroPrompts prompts = new AvroPrompts(new WriterSchemas(registry.access(), pauses::add, System::nanoTime));
        registry.fail(7, 503);
        assertThat(prompts.body(ConfluentFrame.wrap(1, foreign("a")))).isNotEmpty();
        assertThat(pauses).containsExactly(200L, 400L, 800L, 1_600L, 3_200L, 5_000L, 5_000L);

        for (int status : new int[] {401, 404, 429, 500}) { // a 404 without the registry's own code is a wrong address
            pauses.clear();
            registry.put(status, FOREIGN);
            registry.fail(1, status);
            assertThat(prompts.body(ConfluentFrame.wrap(status, foreign("a")))).isNotEmpty();
            assertThat(pauses).hasSize(1);
        }
    }

    @Test
    void endsItsWaitWhenItIsInterrupted() throws Exception {
        String nowhere = registry.url();
        registry.close();
        WriterSchemas writers = new WriterSchemas(
                new RegistryAccess(nowhere, null, null),
                millis -> {
                    throw new InterruptedException();
                },
                System::nanoTime);

        assertThatThrownBy(() -> writers.readerOf(1)).isInstanceOf(CancellationException.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"schema":"\\"string\\""}                                      | the value is not Avro's binary encoding of PromptRecord: Found string
            {"schema":"{\\"type\\":\\"record\\"}"}                         | the value's schema id 3 is no Avro schema
            {"schema":"syntax","schemaType":"PROTOBUF"}                    | the value's schema id 3 is of type PROTOBUF, not AVRO
            {"schema":"\\"A\\"","references":[{"name":"A"}]}               | the value's schema id 3 refers to schemas of other subjects
            {"schema":"{\\"type\\":\\"record\\",\\"name\\":\\"L\\",\\"fields\\":[{\\"name\\":\\"next\\",\\"type\\":[\\"null\\",\\"L\\"]}]}"} | schema id 3 is recursive or has more than 2000 parts""")
    void refusesASchemaThatItCanNotRead(String answer, String message) {
        registry.putAnswer(3, answer);

        assertThat(refusal(parser(), ConfluentFrame.wrap(3, new byte[] {2, 'x'}))
                        .reason())
                .contains(message);
    }

    @Test
    void refusesAValueWithoutItsHeader() {
        assertThat(refusal(parser(), "{\"prompt\":\"x\"}".getBytes(UTF_8)).reason())
                .isEqualTo("the value is not in the Confluent wire format: its first byte is 123, not 0");
        assertThat(refusal(parser(), new byte[0]).reason()).endsWith("empty, not a PromptRecord");
        assertThat(refusal(parser(), new byte[] {0, 0, 0}).reason()).endsWith("it ends within the schema id");
        assertThat(refusal(parser(), new byte[] {0, -1, 0, 0, 0}).reason()).endsWith("its schema id is below 0");
        assertThat(refusal(parser(), ConfluentFrame.wrap(5, new byte[0])).reason())
                .isEqualTo("the value's schema id 5 is not in the schema registry");
        assertThat(registry.requests()).hasSize(1);
    }

    /** By a schema whose lists hold nulls, four bytes would stand for a billion elements. */
    @Test
    void elementsWithoutBytesCostNoTime() {
        registry.put(4, """
                {"type":"record","name":"PromptRecord","fields":[{"name":"x","type":{"type":"array","items":
                {"type":"array","items":"null"}}}]}""");
        byte[] many = {4, (byte) 0xfe, (byte) 0xff, (byte) 0xff, (byte) 0xff, 7, 0, 0, 0};

        assertThat(refusal(parser(), ConfluentFrame.wrap(4, many)).reason()).contains("longer than the record");
        assertThat(refusal(parser(), ConfluentFrame.wrap(4, new byte[] {8, 4, 0, 4, 0, 4, 0, 4, 0, 0}))
                        .reason())
                .contains("longer than the record");
    }

    private PromptParser parser() {
        return new PromptParser(RecordFormat.AVRO_CONFLUENT, registry.access());
    }

    private static RecordException refusal(PromptParser parser, byte[] value) {
        RecordException refusal = catchThrowableOfType(RecordException.class, () -> parser.parse(value));
        assertThat(refusal).as("refusal").isNotNull();
        assertThat(refusal.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
        return refusal;
    }

    static byte[] foreign(String prompt) {
        Schema schema = new Schema.Parser().parse(FOREIGN);
        GenericRecord record = new GenericData.Record(schema);
        record.put("trace", List.of(Map.of("a", "b"), Map.of()));
        record.put("prompt", prompt);
        record.put("temperature", 0.5f);
        record.put("blob", java.nio.ByteBuffer.wrap(new byte[] {1, 2}));
        record.put("kind", new GenericData.EnumSymbol(schema.getField("kind").schema(), "B"));
        record.put("hash", new GenericData.Fixed(schema.getField("hash").schema(), new byte[4]));
        record.put("max_tokens", 9);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryEncoder out = EncoderFactory.get().binaryEncoder(bytes, null);
        try {
            new GenericDatumWriter<GenericRecord>(schema).write(record, out);
            out.flush();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return bytes.toByteArray();
    }

    static String foreignSchema() {
        return FOREIGN;
    }
}
