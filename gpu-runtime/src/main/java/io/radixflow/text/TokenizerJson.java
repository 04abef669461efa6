package io.radixflow.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A GGUF's vocabulary as {@code tokenizer.json}, which the native library reads, and the bytes of its tokens. */
final class TokenizerJson {

    private static final String QWEN2_SPLIT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    /**
     * What the engine needs to know of the tokens.
     *
     * @param ids of all tokens, added ones too
     * @param addedTokens those that the library numbers by itself
     * @param separators as of {@link Tokenizer#separators}
     */
    record Vocabulary(
            TokenBytes tokenBytes, Map<String, Integer> ids, List<String> addedTokens, List<String> separators) {}

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
        List<String> separators = new ArrayList<>();
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
            if (isLiteral && !token.isEmpty()) {
                separators.add(
                        token); // as writeAddedTokens writes them, and our splits look at nothing outside of a piece
            }
        }
        return new Vocabulary(new TokenBytes(bytes, isSpecial), ids, List.of(), separators);
    }
}
