package io.radixflow.schemas;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Bytes of strangers to a JSON object, within limits of length, depth and digits; a key twice is an error. Thread-safe. */
final class JsonReader {

    static final int MAX_BYTES = 16 << 20;
    static final int MAX_DEPTH = 64;
    /** Names, values, brackets: far above a prompt of a million ids, so that 16 MB of empty lists can't ask for a gigabyte. */
    static final int MAX_TOKENS = 1_500_000;

    private static final int MAX_NUMBER_DIGITS = 400;
    private static final int MAX_NAME_CHARS = 1024;
    private static final int MAX_REASON_CHARS = 200;

    private final JsonMapper mapper;

    JsonReader() {
        JsonFactory factory = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .maxStringLength(MAX_BYTES)
                        .maxNumberLength(MAX_NUMBER_DIGITS)
                        .maxNameLength(MAX_NAME_CHARS)
                        .maxTokenCount(MAX_TOKENS)
                        .build())
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                // Field names of strangers must not fill the symbol table that all parsers share.
                .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                .build();
        mapper = JsonMapper.builder(factory)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
                .build();
    }

    /** @throws RecordException {@code invalid_json}, also if the text is no object */
    ObjectNode readObject(byte @Nullable [] value) throws RecordException {
        if (value == null || value.length == 0) {
            throw invalid("the value is empty");
        }
        if (value.length > MAX_BYTES) {
            throw invalid("the value has " + value.length + " bytes, the limit is " + MAX_BYTES);
        }
        String text = decode(value);
        JsonNode node = parse(text);
        if (!(node instanceof ObjectNode object)) {
            throw invalid("the value is " + describe(node) + ", not an object");
        }
        if (text.contains("\\u") && hasLoneSurrogate(object)) {
            throw invalid("a \\u escape stands for half a surrogate pair");
        }
        return object;
    }

    /** @throws RecordException {@code invalid_request} that names the field, if its text is no JSON */
    JsonNode readField(String name, String text) throws RecordException {
        try {
            JsonNode node = parse(text);
            if (text.contains("\\u") && hasLoneSurrogate(node)) {
                throw invalid("a \\u escape stands for half a surrogate pair");
            }
            return node;
        } catch (RecordException e) {
            throw RequestFields.invalid(name + " must be JSON text: " + e.reason());
        }
    }

    private JsonNode parse(String text) throws RecordException {
        try {
            return mapper.readTree(text);
        } catch (JsonProcessingException e) {
            String reason = e.getOriginalMessage();
            String shortened = reason.length() <= MAX_REASON_CHARS ? reason : reason.substring(0, MAX_REASON_CHARS);
            String where = e.getLocation() == null
                    ? ""
                    : " at line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr();
            throw invalid("not valid JSON" + where + ": " + shortened);
        } catch (NumberFormatException e) {
            // Jackson lets BigDecimal's own refusal of an exponent beyond 32 bits through.
            throw invalid("a number's exponent is out of range");
        }
    }

    private static String decode(byte[] value) throws RecordException {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(value))
                    .toString();
        } catch (CharacterCodingException e) {
            throw invalid("the value is not UTF-8");
        }
    }

    private static boolean hasLoneSurrogate(JsonNode node) {
        if (node.isTextual()) {
            return hasLoneSurrogate(node.textValue());
        }
        for (var field : node.properties()) {
            if (hasLoneSurrogate(field.getKey()) || hasLoneSurrogate(field.getValue())) {
                return true;
            }
        }
        if (node.isArray()) {
            for (JsonNode element : node) {
                if (hasLoneSurrogate(element)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean hasLoneSurrogate(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                boolean isPair = i + 1 < text.length() && Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1));
                if (!isPair) {
                    return true;
                }
                i++;
            }
        }
        return false;
    }

    /** What kind of JSON value this is, for messages. */
    static String describe(JsonNode node) {
        return switch (node.getNodeType()) {
            case ARRAY -> "a list";
            case OBJECT -> "an object";
            case STRING -> "a string";
            case NUMBER -> "a number";
            case BOOLEAN -> "a boolean";
            case NULL -> "null";
            case MISSING, BINARY, POJO -> "nothing";
        };
    }

    private static RecordException invalid(String reason) {
        return new RecordException(ErrorCode.INVALID_JSON, reason);
    }
}
