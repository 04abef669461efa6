package io.radixflow.schemas;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.schemas.avro.ChatMessage;
import io.radixflow.schemas.avro.ContentPart;
import io.radixflow.schemas.avro.PromptRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumWriter;
import org.jspecify.annotations.Nullable;

/** A JSON body as Avro's binary {@code PromptRecord}, for producers that have JSON. Not thread-safe. */
public final class AvroPromptWriter {

    private final JsonReader json = new JsonReader();
    private final BodyParser bodies = new BodyParser(json);
    private final SpecificDatumWriter<PromptRecord> writer = new SpecificDatumWriter<>(PromptRecord.class);

    /** @throws RecordException if the body would be refused: what follows relies on its types */
    public byte[] write(byte[] body) throws RecordException {
        ObjectNode object = json.readObject(body);
        bodies.parse(new RequestFields(object));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        BinaryEncoder out = EncoderFactory.get().binaryEncoder(bytes, null);
        try {
            writer.write(record(object), out);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes.toByteArray();
    }

    private static PromptRecord record(ObjectNode body) {
        PromptRecord record = new PromptRecord();
        for (Schema.Field field : PromptRecord.getClassSchema().getFields()) {
            JsonNode node = body.get(field.name());
            if (node != null && !node.isNull()) {
                record.put(field.pos(), value(field, node));
            }
        }
        writeLikeARecord(record, body);
        return record;
    }

    private static Object value(Schema.Field field, JsonNode node) {
        return switch (field.name()) {
            case "messages" -> messages(node);
            case "logit_bias" -> biases(node);
            default -> plain(field.schema(), node);
        };
    }

    /** What a record says in another way than a body. */
    private static void writeLikeARecord(PromptRecord record, ObjectNode body) {
        JsonNode maxTokens = body.path("max_completion_tokens");
        if (maxTokens.isNumber()) {
            record.setMaxTokens(maxTokens.intValue());
        }
        JsonNode stop = body.path("stop");
        if (stop.isTextual()) {
            record.setStop(List.of(stop.textValue()));
        }
        JsonNode prompt = body.path("prompt");
        if (prompt.isArray()) {
            JsonNode single = prompt.get(0).isNumber() ? prompt : prompt.get(0);
            record.setPrompt(single.isTextual() ? single.textValue() : ints(single));
        }
        JsonNode logprobs = body.path("logprobs");
        if (logprobs.isNumber()) {
            record.setLogprobs(true);
            record.setTopLogprobs(logprobs.intValue());
        }
        JsonNode includeUsage = body.path("stream_options").path("include_usage");
        if (includeUsage.isBoolean()) {
            record.setIncludeUsage(includeUsage.booleanValue());
        }
    }

    private static Object plain(Schema union, JsonNode node) {
        Schema schema = union.getTypes().get(1);
        return switch (schema.getType()) {
            case STRING -> node.isTextual() ? node.textValue() : node.toString();
            case INT -> node.intValue();
            case LONG -> node.longValue();
            case DOUBLE -> node.doubleValue();
            case BOOLEAN -> node.booleanValue();
            case ARRAY -> schema.getElementType().getType() == Schema.Type.INT ? ints(node) : strings(node);
            default -> throw new IllegalStateException("no field has the type " + schema.getType());
        };
    }

    private static List<Integer> ints(JsonNode list) {
        List<Integer> values = new ArrayList<>(list.size());
        for (JsonNode element : list) {
            values.add(element.intValue());
        }
        return values;
    }

    private static List<String> strings(JsonNode list) {
        List<String> values = new ArrayList<>(list.size());
        for (JsonNode element : list) {
            values.add(element.textValue());
        }
        return values;
    }

    private static Map<String, Double> biases(JsonNode object) {
        Map<String, Double> values = new LinkedHashMap<>();
        for (var entry : object.properties()) {
            values.put(entry.getKey(), entry.getValue().doubleValue());
        }
        return values;
    }

    private static List<ChatMessage> messages(JsonNode list) {
        List<ChatMessage> messages = new ArrayList<>(list.size());
        for (JsonNode node : list) {
            ChatMessage message = new ChatMessage();
            message.setRole(node.path("role").textValue());
            message.setContent(content(node.path("content")));
            message.setName(textOrNull(node.path("name")));
            message.setReasoningContent(textOrNull(node.path("reasoning_content")));
            message.setToolCallId(textOrNull(node.path("tool_call_id")));
            JsonNode calls = node.path("tool_calls");
            message.setToolCalls(calls.isArray() ? calls.toString() : null);
            messages.add(message);
        }
        return messages;
    }

    private static @Nullable Object content(JsonNode content) {
        if (!content.isArray()) {
            return textOrNull(content);
        }
        List<ContentPart> parts = new ArrayList<>(content.size());
        for (JsonNode node : content) {
            ContentPart part = new ContentPart();
            part.setType(node.path("type").textValue());
            part.setText(textOrNull(node.path("text")));
            part.setImageUrl(textOrNull(node.path("image_url").path("url")));
            parts.add(part);
        }
        return parts;
    }

    private static @Nullable String textOrNull(JsonNode node) {
        return node.isTextual() ? node.textValue() : null;
    }
}
