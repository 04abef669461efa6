package io.radixflow.schemas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.schemas.avro.PromptRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumReader;
import org.jspecify.annotations.Nullable;

/** Whatever schema of a registry a prompt was written with, it means the same; any other bytes or schemas are a dead letter. */
class ConfluentPropertyTest {

    private static final byte[] PLAIN_BODY = """
            {"custom_id":"c","messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]},{"role":"assistant",
            "content":"x"}],"temperature":0.5,"top_k":3,"stop":["a","b"],"logit_bias":{"3":-0.5},"seed":7,"logprobs":true,
            "top_logprobs":2,"metadata":{"k":[1]}}""".getBytes(UTF_8);

    private final List<Schema> extras = List.of(
            Schema.create(Schema.Type.NULL),
            Schema.create(Schema.Type.LONG),
            Schema.create(Schema.Type.FLOAT),
            Schema.create(Schema.Type.BYTES),
            Schema.createFixed("F", null, null, 3),
            Schema.createEnum("E", null, null, List.of("A", "B")),
            Schema.createMap(Schema.createArray(Schema.create(Schema.Type.STRING))),
            Schema.createArray(Schema.createMap(
                    Schema.createUnion(Schema.create(Schema.Type.NULL), Schema.create(Schema.Type.DOUBLE)))));

    @Property(tries = 500)
    void fieldsInAnyOrderAndFurtherOnesMeanTheSame(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        PromptRecord record = new SpecificDatumReader<>(PromptRecord.class)
                .read(null, new BoundedDecoder(new AvroPromptWriter().write(PLAIN_BODY)));
        List<Schema.Field> fields = new ArrayList<>();
        for (Schema.Field field : PromptRecord.getClassSchema().getFields()) {
            if (record.get(field.pos()) != null || random.nextBoolean()) {
                fields.add(new Schema.Field(field.name(), field.schema(), field.doc(), field.defaultVal()));
            }
        }
        for (int i = 0; i < extras.size(); i++) {
            fields.add(new Schema.Field("extra" + i, extras.get(i)));
        }
        Collections.shuffle(fields, random);
        Schema writer = Schema.createRecord("Prompt2", null, "other", false, fields);
        GenericRecord written = new GenericData.Record(writer);
        for (Schema.Field field : writer.getFields()) {
            Schema.Field ours = PromptRecord.getClassSchema().getField(field.name());
            written.put(field.pos(), ours == null ? value(field.schema(), random) : record.get(ours.pos()));
        }

        Prompt expected = new PromptParser(RecordFormat.AVRO).parse(new AvroPromptWriter().write(PLAIN_BODY));
        assertThat(parse(writer.toString(), encode(writer, written)))
                .usingRecursiveComparison()
                .isEqualTo(expected);
    }

    @Property(tries = 3_000)
    void mutatedRecordsAreAPromptOrADeadLetter(@ForAll long seed) {
        Random random = new Random(seed);
        byte[] bytes = ConfluentPromptsTest.foreign("some prompt");
        for (int i = 0; i < 1 + random.nextInt(4); i++) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        parseOrRefuse(ConfluentPromptsTest.foreignSchema(), bytes);
    }

    @Property(tries = 2_000)
    void mutatedSchemasAreReadOrRefused(@ForAll long seed) {
        Random random = new Random(seed);
        StringBuilder schema = new StringBuilder(ConfluentPromptsTest.foreignSchema());
        for (int i = 0; i < 1 + random.nextInt(4); i++) {
            int at = random.nextInt(schema.length());
            schema.setCharAt(at, schema.charAt(random.nextInt(schema.length())));
        }
        parseOrRefuse(schema.toString(), ConfluentPromptsTest.foreign("some prompt"));
    }

    private static void parseOrRefuse(String schema, byte[] value) {
        try {
            assertThat(parse(schema, value)).isNotNull();
        } catch (RecordException refusal) {
            assertThat(refusal.code()).isIn(ErrorCode.INVALID_REQUEST, ErrorCode.UNSUPPORTED_PARAMETER);
            assertThat(refusal.reason()).isNotBlank().hasSizeLessThan(500);
        }
    }

    /** As the parser of a topic does it, without the registry's round trip. */
    private static Prompt parse(String schema, byte[] value) throws RecordException {
        Schema writer = WriterSchemas.parse(1, schema);
        return new BodyParser(new JsonReader())
                .parse(new RequestFields(new AvroPrompts(null)
                        .body(value, 0, new SpecificDatumReader<>(writer, PromptRecord.getClassSchema()))))
                .inEnvelope(Prompt.Envelope.AVRO, null);
    }

    private static byte[] encode(Schema schema, GenericRecord record) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryEncoder out = EncoderFactory.get().binaryEncoder(bytes, null);
        new GenericDatumWriter<GenericRecord>(schema).write(record, out);
        out.flush();
        return bytes.toByteArray();
    }

    private static @Nullable Object value(Schema schema, Random random) {
        return switch (schema.getType()) {
            case LONG -> random.nextLong();
            case FLOAT -> random.nextFloat();
            case BYTES -> java.nio.ByteBuffer.wrap(new byte[random.nextInt(4)]);
            case FIXED -> new GenericData.Fixed(schema, new byte[schema.getFixedSize()]);
            case ENUM -> new GenericData.EnumSymbol(schema, "A");
            case MAP -> Map.of("k", List.of("a", "b"), "l", List.of());
            case ARRAY -> List.of(Map.of("a", 1.0), Map.of());
            default -> null;
        };
    }
}
