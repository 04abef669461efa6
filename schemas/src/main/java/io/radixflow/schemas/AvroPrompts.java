package io.radixflow.schemas;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.schemas.avro.ChatMessage;
import io.radixflow.schemas.avro.ContentPart;
import io.radixflow.schemas.avro.PromptRecord;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificDatumReader;
import org.jspecify.annotations.Nullable;

/**
 * {@code PromptRecord}, plain or in the Confluent wire format, to the body that it means. All checks but those of the encoding are the body's. Not thread-safe.
 *
 * <p>Fields have a body's names and order; those listed here hold a list or object as JSON text.
 */
final class AvroPrompts {

    private static final Set<String> JSON_FIELDS =
            Set.of("response_format", "tools", "chat_template_kwargs", "metadata");
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final JsonReader json = new JsonReader();
    private final SpecificDatumReader<PromptRecord> plain = new SpecificDatumReader<>(PromptRecord.class);
    private final @Nullable WriterSchemas writers;

    /** @param writers of records in the Confluent wire format; null for plain records */
    AvroPrompts(@Nullable WriterSchemas writers) {
        this.writers = writers;
    }

    /**
     * The body that the record means.
     *
     * @throws RecordException {@code invalid_request} if the bytes are no record, or their schema can't be had or read
     */
    ObjectNode body(byte @Nullable [] value) throws RecordException {
        if (value == null || value.length == 0) {
            throw RequestFields.invalid("the value is empty, not a PromptRecord");
        }
        if (value.length > JsonReader.MAX_BYTES) {
            throw RequestFields.invalid(
                    "the value has " + value.length + " bytes, the limit is " + JsonReader.MAX_BYTES);
        }
        if (writers == null) {
            return body(value, 0, plain);
        }
        return body(value, ConfluentFrame.HEADER_BYTES, writers.readerOf(ConfluentFrame.schemaId(value)));
    }

    /** The body that the bytes from an index on mean. */
    ObjectNode body(byte[] value, int from, SpecificDatumReader<PromptRecord> reader) throws RecordException {
        return body(decode(value, from, reader));
    }

    private static PromptRecord decode(byte[] value, int from, SpecificDatumReader<PromptRecord> reader)
            throws RecordException {
        BoundedDecoder decoder = new BoundedDecoder(value, from);
        PromptRecord record;
        try {
            record = reader.read(null, decoder);
        } catch (IOException | AvroRuntimeException e) {
            throw noRecord(String.valueOf(e.getMessage()));
        } catch (IndexOutOfBoundsException e) {
            throw noRecord("a union has no such branch"); // Avro's own answer to it is this exception
        }
        if (decoder.remaining() > 0) {
            throw noRecord(decoder.remaining() + " bytes follow the record");
        }
        return record;
    }

    private static RecordException noRecord(String why) {
        return RequestFields.invalid("the value is not Avro's binary encoding of PromptRecord: " + why);
    }

    private ObjectNode body(PromptRecord record) throws RecordException {
        ObjectNode body = NODES.objectNode();
        for (Schema.Field field : PromptRecord.getClassSchema().getFields()) {
            String name = field.name();
            Object value = record.get(field.pos());
            if (value != null) {
                body.set(name, JSON_FIELDS.contains(name) ? json.readField(name, (String) value) : node(name, value));
            }
        }
        renameLikeABody(body, record);
        return body;
    }

    /** What a body says in another way. */
    private void renameLikeABody(ObjectNode body, PromptRecord record) throws RecordException {
        JsonNode includeUsage = body.remove("include_usage");
        if (includeUsage != null) {
            body.putObject("stream_options").set("include_usage", includeUsage);
        }
        String choice = record.getToolChoice();
        if (choice != null && choice.startsWith("{")) {
            body.set("tool_choice", json.readField("tool_choice", choice));
        }
        if (record.getMessages() == null && body.has("logprobs")) {
            JsonNode top = body.remove("top_logprobs");
            JsonNode isWanted = body.remove("logprobs");
            if (isWanted.booleanValue()) {
                body.set("logprobs", top == null ? NODES.numberNode(0) : top);
            }
        }
    }

    private JsonNode node(String name, Object value) throws RecordException {
        if (value instanceof List<?> list) {
            ArrayNode array = NODES.arrayNode(list.size());
            for (int i = 0; i < list.size(); i++) {
                array.add(node(name + "[" + i + "]", list.get(i)));
            }
            return array;
        }
        if (value instanceof Map<?, ?> map) {
            ObjectNode object = NODES.objectNode();
            for (var entry : map.entrySet()) {
                object.set((String) entry.getKey(), node(name, entry.getValue()));
            }
            return object;
        }
        if (value instanceof ChatMessage message) {
            return message(name, message);
        }
        if (value instanceof ContentPart part) {
            return part(part);
        }
        return scalar(value);
    }

    private static JsonNode scalar(Object value) {
        if (value instanceof Integer number) {
            return NODES.numberNode(number);
        }
        if (value instanceof Long number) {
            return NODES.numberNode(number);
        }
        if (value instanceof Double number) {
            return NODES.numberNode(number);
        }
        return value instanceof Boolean truth ? NODES.booleanNode(truth) : NODES.textNode((String) value);
    }

    private JsonNode message(String name, ChatMessage message) throws RecordException {
        ObjectNode node = NODES.objectNode();
        for (Schema.Field field : ChatMessage.getClassSchema().getFields()) {
            Object value = message.get(field.pos());
            if (value != null) {
                String fieldName = name + "." + field.name();
                boolean isJson = field.name().equals("tool_calls");
                node.set(field.name(), isJson ? json.readField(fieldName, (String) value) : node(fieldName, value));
            }
        }
        return node;
    }

    private static JsonNode part(ContentPart part) {
        ObjectNode node = NODES.objectNode();
        node.put("type", part.getType());
        if (part.getText() != null) {
            node.put("text", part.getText());
        }
        if (part.getImageUrl() != null) {
            node.putObject("image_url").put("url", part.getImageUrl());
        }
        return node;
    }
}
