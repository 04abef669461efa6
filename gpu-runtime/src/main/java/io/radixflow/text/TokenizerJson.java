package io.radixflow.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The format {@code tokenizer.json}: written from a GGUF's vocabulary, read for the bytes of each token. */
final class TokenizerJson {

    private static final String QWEN2_SPLIT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private static final int MAX_ID = 1 << 24; // far above any vocabulary, so that a wrong id cannot ask for all memory

    /** What the engine needs to know of the tokens, by id. */
    record Vocabulary(TokenBytes tokenBytes, Map<String, Integer> ids) {}

    private record AddedToken(int id, String content, boolean isSpecial) {}

    private TokenizerJson() {}

    static boolean isKnownPre(String pre) {
        return pre.equals("smollm") || pre.equals("qwen2");
    }

    /** @throws EngineException of category CONFIGURATION, if a merge isn't a pair */
    static String write(VocabularySpec spec) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("version", "1.0");
            writeAddedTokens(spec, json);
            if (spec.pre().equals("qwen2")) {
                json.writeObjectFieldStart("normalizer");
                json.writeStringField("type", "NFC");
                json.writeEndObject();
            }
            writePreTokenizer(spec.pre(), json);
            json.writeObjectFieldStart("decoder");
            writeByteLevel(true, json);
            writeModel(spec, json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new EngineException(Category.INVARIANT, "writing to a string failed", e);
        }
        return text.toString();
    }

    private static void writeAddedTokens(VocabularySpec spec, JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("added_tokens");
        for (int id = 0; id < spec.tokens().size(); id++) {
            int type = spec.tokenTypes()[id];
            if (type != VocabularySpec.TYPE_CONTROL && type != VocabularySpec.TYPE_USER_DEFINED) {
                continue;
            }
            json.writeStartObject();
            json.writeNumberField("id", id);
            json.writeStringField("content", spec.tokens().get(id));
            json.writeBooleanField("single_word", false);
            json.writeBooleanField("lstrip", false);
            json.writeBooleanField("rstrip", false);
            json.writeBooleanField("normalized", false);
            json.writeBooleanField("special", type == VocabularySpec.TYPE_CONTROL);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void writePreTokenizer(String pre, JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("pre_tokenizer");
        json.writeStringField("type", "Sequence");
        json.writeArrayFieldStart("pretokenizers");
        json.writeStartObject();
        if (pre.equals("smollm")) {
            json.writeStringField("type", "Digits");
            json.writeBooleanField("individual_digits", true);
        } else {
            json.writeStringField("type", "Split");
            json.writeObjectFieldStart("pattern");
            json.writeStringField("Regex", QWEN2_SPLIT);
            json.writeEndObject();
            json.writeStringField("behavior", "Isolated");
            json.writeBooleanField("invert", false);
        }
        json.writeEndObject();
        json.writeStartObject();
        writeByteLevel(pre.equals("smollm"), json);
        json.writeEndArray();
        json.writeEndObject();
    }

    /** The fields of a byte-level part and the end of its object. */
    private static void writeByteLevel(boolean usesRegex, JsonGenerator json) throws IOException {
        json.writeStringField("type", "ByteLevel");
        json.writeBooleanField("add_prefix_space", false);
        json.writeBooleanField("trim_offsets", true);
        json.writeBooleanField("use_regex", usesRegex);
        json.writeEndObject();
    }

    private static void writeModel(VocabularySpec spec, JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("model");
        json.writeStringField("type", "BPE");
        json.writeBooleanField("fuse_unk", false);
        json.writeBooleanField("byte_fallback", false);
        json.writeBooleanField("ignore_merges", false);
        json.writeObjectFieldStart("vocab");
        for (int id = 0; id < spec.tokens().size(); id++) {
            if (spec.tokenTypes()[id] != VocabularySpec.TYPE_UNUSED) {
                json.writeNumberField(spec.tokens().get(id), id);
            }
        }
        json.writeEndObject();
        json.writeArrayFieldStart("merges");
        for (String merge : spec.merges()) {
            int space = merge.indexOf(' ', 1);
            if (space < 0) {
                throw new EngineException(Category.CONFIGURATION, "merge \"" + merge + "\" is not a pair of tokens");
            }
            json.writeStartArray();
            json.writeString(merge.substring(0, space));
            json.writeString(merge.substring(space + 1));
            json.writeEndArray();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    static Vocabulary vocabularyOf(VocabularySpec spec) {
        int size = spec.tokens().size();
        byte[][] bytes = new byte[size][];
        boolean[] isSpecial = new boolean[size];
        Map<String, Integer> ids = new HashMap<>(2 * size);
        for (int id = 0; id < size; id++) {
            String token = spec.tokens().get(id);
            int type = spec.tokenTypes()[id];
            boolean isLiteral = type == VocabularySpec.TYPE_CONTROL || type == VocabularySpec.TYPE_USER_DEFINED;
            boolean isUnused = type == VocabularySpec.TYPE_UNUSED;
            bytes[id] = isUnused
                    ? new byte[0]
                    : isLiteral ? token.getBytes(StandardCharsets.UTF_8) : ByteLevel.bytesOf(token);
            isSpecial[id] = type == VocabularySpec.TYPE_CONTROL;
            if (!isUnused) {
                ids.put(token, id);
            }
        }
        return new Vocabulary(new TokenBytes(bytes, isSpecial), ids);
    }

    /**
     * Reads vocabulary and added tokens. Ids that neither names are empty.
     *
     * @throws EngineException of category CONFIGURATION, if the text isn't a byte-level BPE tokenizer
     */
    static Vocabulary read(String text) {
        Map<String, Integer> ids = new HashMap<>();
        List<AddedToken> added = new ArrayList<>();
        String decoder = "none";
        try (JsonParser json = new JsonFactory().createParser(text)) {
            require(json.nextToken() == JsonToken.START_OBJECT, "it is no JSON object");
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                boolean isObject = json.nextToken() == JsonToken.START_OBJECT;
                if (field.equals("model") && isObject) {
                    readModel(json, ids);
                } else if (field.equals("decoder") && isObject) {
                    decoder = readType(json);
                } else if (field.equals("added_tokens") && json.currentToken() == JsonToken.START_ARRAY) {
                    while (json.nextToken() == JsonToken.START_OBJECT) {
                        added.add(readAddedToken(json));
                    }
                } else {
                    json.skipChildren();
                }
            }
        } catch (IOException e) {
            throw new EngineException(Category.CONFIGURATION, "tokenizer.json can't be read: " + e.getMessage(), e);
        }
        require(decoder.equals("ByteLevel"), "its decoder is " + decoder + ", supported: ByteLevel");
        return vocabularyOf(ids, added);
    }

    private static Vocabulary vocabularyOf(Map<String, Integer> ids, List<AddedToken> added) {
        int size = 0;
        for (int id : ids.values()) {
            size = Math.max(size, id + 1);
        }
        for (AddedToken token : added) {
            size = Math.max(size, token.id + 1);
        }
        require(size > 0, "it has no tokens");
        byte[][] bytes = new byte[size][0];
        boolean[] isSpecial = new boolean[size];
        ids.forEach((token, id) -> bytes[id] = ByteLevel.bytesOf(token));
        for (AddedToken token : added) {
            bytes[token.id] = token.content.getBytes(StandardCharsets.UTF_8);
            isSpecial[token.id] = token.isSpecial;
            ids.put(token.content, token.id);
        }
        return new Vocabulary(new TokenBytes(bytes, isSpecial), ids);
    }

    private static void readModel(JsonParser json, Map<String, Integer> ids) throws IOException {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            JsonToken value = json.nextToken();
            if (field.equals("type")) {
                require(json.getText().equals("BPE"), "its model is " + json.getText() + ", supported: BPE");
            } else if (field.equals("vocab") && value == JsonToken.START_OBJECT) {
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String token = json.currentName();
                    json.nextToken();
                    ids.put(token, readId(json));
                }
            } else {
                json.skipChildren();
            }
        }
    }

    private static String readType(JsonParser json) throws IOException {
        String type = "none";
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            json.nextToken();
            if (field.equals("type")) {
                type = json.getText();
            } else {
                json.skipChildren();
            }
        }
        return type;
    }

    private static AddedToken readAddedToken(JsonParser json) throws IOException {
        int id = -1;
        String content = "";
        boolean isSpecial = false;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            JsonToken value = json.nextToken();
            if (field.equals("id")) {
                id = readId(json);
            } else if (field.equals("content")) {
                content = json.getText();
            } else if (field.equals("special")) {
                isSpecial = value == JsonToken.VALUE_TRUE;
            } else {
                json.skipChildren();
            }
        }
        require(id >= 0, "added token \"" + content + "\" has no id");
        return new AddedToken(id, content, isSpecial);
    }

    private static int readId(JsonParser json) throws IOException {
        boolean isId = json.currentToken() == JsonToken.VALUE_NUMBER_INT;
        int id = isId ? json.getIntValue() : -1;
        require(id >= 0 && id < MAX_ID, "token id " + json.getText() + " is out of range");
        return id;
    }

    private static void require(boolean isMet, String problem) {
        if (!isMet) {
            throw new EngineException(Category.CONFIGURATION, "tokenizer.json is not supported: " + problem);
        }
    }
}
