package io.radixflow.schemas;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/**
 * Bytes to {@link Prompt}. Whatever the bytes are, the outcome is a prompt or a {@link RecordException} that names the field and
 * what is allowed: a known field is honoured or refused, never ignored. Thread-safe.
 *
 * <p>JSON is a body or a line of an OpenAI Batch file, told apart by their fields; Avro is the binary encoding of
 * {@code PromptRecord}, or of what a registry's schema resolves to it; it becomes a body and passes the same checks.
 */
public final class PromptParser {

    private static final String CHAT_URL = "/v1/chat/completions";
    private static final String COMPLETIONS_URL = "/v1/completions";
    private static final int MAX_URL_CHARS = 256;

    private final RecordFormat format;
    private final JsonReader json = new JsonReader();
    private final BodyParser bodies = new BodyParser(json);
    private final AvroPrompts avro;

    /** Of a format that needs no schema registry. */
    public PromptParser(RecordFormat format) {
        this(format, null);
    }

    /** @param registry of the writers' schemas; null unless the format needs it */
    public PromptParser(RecordFormat format, @Nullable RegistryAccess registry) {
        if ((format == RecordFormat.AVRO_CONFLUENT) != (registry != null)) {
            throw new IllegalArgumentException("a schema registry belongs to AVRO_CONFLUENT, the format is " + format);
        }
        this.format = format;
        avro = new AvroPrompts(registry == null ? null : new WriterSchemas(registry));
    }

    /** @throws RecordException {@code invalid_json}, {@code invalid_request} or {@code unsupported_parameter} */
    public Prompt parse(byte @Nullable [] value) throws RecordException {
        return switch (format) {
            case JSON -> parseJson(new RequestFields(json.readObject(value)));
            case AVRO, AVRO_CONFLUENT ->
                bodies.parse(new RequestFields(avro.body(value))).inEnvelope(Prompt.Envelope.AVRO, null);
        };
    }

    private Prompt parseJson(RequestFields fields) throws RecordException {
        boolean hasRoute = fields.find("method") != null && fields.find("url") != null;
        return hasRoute || fields.find("body") != null ? parseBatchLine(fields) : bodies.parse(fields);
    }

    private Prompt parseBatchLine(RequestFields line) throws RecordException {
        String customId = line.string("custom_id", BodyParser.MAX_ID_CHARS);
        String method = line.string("method", MAX_URL_CHARS);
        if (!"POST".equals(method)) {
            throw RequestFields.invalid("method must be POST" + (method == null ? ", it is missing" : ""));
        }
        String url = line.string("url", MAX_URL_CHARS);
        if (!CHAT_URL.equals(url) && !COMPLETIONS_URL.equals(url)) {
            throw UnsupportedFields.unsupported("url other than " + CHAT_URL + " and " + COMPLETIONS_URL);
        }
        ObjectNode body = line.object("body");
        if (body == null) {
            throw RequestFields.invalid("body must be an object, it is missing");
        }
        Prompt prompt = parseBody(body);
        if (CHAT_URL.equals(url) != (prompt.kind() == Prompt.Kind.CHAT)) {
            throw RequestFields.invalid(
                    "body does not fit the url: " + CHAT_URL + " takes messages, " + COMPLETIONS_URL + " takes prompt");
        }
        return prompt.inEnvelope(Prompt.Envelope.BATCH_LINE, customId);
    }

    private Prompt parseBody(ObjectNode body) throws RecordException {
        try {
            return bodies.parse(new RequestFields(body));
        } catch (RecordException e) {
            throw new RecordException(e.code(), "in body: " + e.reason());
        }
    }
}
