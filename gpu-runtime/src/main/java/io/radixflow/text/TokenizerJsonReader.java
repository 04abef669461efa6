package io.radixflow.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads from a {@code tokenizer.json} the bytes that each token stands for; encoding is the native library's business.
 *
 * <p>The bytes follow from the decoder that the file names: byte-level BPE (GPT-2, Qwen, Llama 3), or SentencePiece's blanks, with bytes
 * for what has no token or without (Llama 2, Mistral, Gemma; T5). Decoders that need more than the token itself are refused.
 */
final class TokenizerJsonReader {

    private static final int MAX_ID = 1 << 22; // far above any vocabulary, so that a wrong id cannot ask for all memory
    private static final int MAX_MESSAGE_CHARS = 300;
    private static final byte[] NO_BYTES = {};
    private static final Set<String> SEQUENCE_STEPS = Set.of("Replace", "ByteFallback", "Fuse", "Strip");
    private static final String BLANK = String.valueOf(TokenSpelling.BLANK);

    /** Steps before the model that treat each piece of a text alike, wherever it stands. */
    private static final Set<String> LOCAL_SPLITS = Set.of(
            "ByteLevel",
            "Digits",
            "Split",
            "Punctuation",
            "Whitespace",
            "WhitespaceSplit",
            "Metaspace",
            "CharDelimiterSplit",
            "Sequence");

    /**
     * A token that is looked for in the text.
     *
     * @param isNormalized whether that is after the normalizer, so after the others
     * @param isPlain whether it is found wherever it is written, and takes no blanks around it
     */
    private record AddedToken(int id, String content, boolean isSpecial, boolean isNormalized, boolean isPlain) {}

    /** One step of the decoder; what of the others a kind has not is empty. */
    private record Step(String type, String pattern, String content) {}

    private final Map<String, Integer> ids = new HashMap<>();
    private final List<AddedToken> added = new ArrayList<>();
    private final List<Step> steps = new ArrayList<>();
    private boolean isLocal = true;
    private boolean hasScores;
    private boolean hasUnknown;

    private TokenizerJsonReader() {}

    /**
     * Reads vocabulary and added tokens. Ids that neither names are empty.
     *
     * @throws EngineException of category CONFIGURATION that names what isn't supported
     */
    static TokenizerJson.Vocabulary read(String text) {
        TokenizerJsonReader reader = new TokenizerJsonReader();
        try (JsonParser json = new JsonFactory().createParser(text)) {
            reader.readRoot(json);
        } catch (IOException e) {
            throw refusal("it is no sound JSON: " + String.valueOf(e.getMessage()), e);
        }
        return reader.vocabulary(reader.spelling());
    }

    private void readRoot(JsonParser json) throws IOException {
        require(json.nextToken() == JsonToken.START_OBJECT, "it is no JSON object");
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            JsonToken value = json.nextToken();
            if (field.equals("model") && value == JsonToken.START_OBJECT) {
                readModel(json);
            } else if (field.equals("decoder") && value == JsonToken.START_OBJECT) {
                readStep(json);
            } else if (field.equals("pre_tokenizer") && value == JsonToken.START_OBJECT) {
                readSplit(json);
            } else if (field.equals("added_tokens") && value == JsonToken.START_ARRAY) {
                while (json.nextToken() == JsonToken.START_OBJECT) {
                    added.add(readAddedToken(json));
                }
            } else {
                json.skipChildren();
            }
        }
    }

    /** A step that splits texts into words, or the steps of a sequence. */
    private void readSplit(JsonParser json) throws IOException {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            JsonToken value = json.nextToken();
            if (field.equals("pretokenizers") && value == JsonToken.START_ARRAY) {
                while (json.nextToken() == JsonToken.START_OBJECT) {
                    readSplit(json);
                }
            } else if (field.equals("type")) {
                isLocal &= LOCAL_SPLITS.contains(json.getText());
            } else if (field.equals("prepend_scheme")) {
                isLocal &= !json.getText().equals("first"); // a blank before the text's first word only
            } else {
                json.skipChildren();
            }
        }
    }

    private void readModel(JsonParser json) throws IOException {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            JsonToken value = json.nextToken();
            if (field.equals("type")) {
                String type = json.getText();
                require(
                        type.equals("BPE") || type.equals("Unigram"),
                        "its model is " + type + ", supported: BPE, Unigram");
            } else if (field.equals("continuing_subword_prefix") || field.equals("end_of_word_suffix")) {
                // The library aborts the whole process if a merge is shorter than the prefix.
                boolean isNone = value == JsonToken.VALUE_NULL || json.getText().isEmpty();
                require(isNone, "its model has a " + field);
            } else if (field.equals("vocab") && value == JsonToken.START_OBJECT) {
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String token = json.currentName();
                    json.nextToken();
                    ids.put(token, readId(json));
                }
            } else if (field.equals("vocab") && value == JsonToken.START_ARRAY) {
                hasScores = true;
                readScoredTokens(json);
            } else if (field.equals("dropout")) {
                isLocal &= value == JsonToken.VALUE_NULL; // leaves merges out at random
            } else if (field.equals("unk_id")) {
                hasUnknown = value == JsonToken.VALUE_NUMBER_INT;
                json.skipChildren();
            } else {
                json.skipChildren();
            }
        }
    }

    /** Unigram's vocabulary: pairs of a token and its score, in the order of their ids. */
    private void readScoredTokens(JsonParser json) throws IOException {
        for (int id = 0; json.nextToken() == JsonToken.START_ARRAY; id++) {
            require(id < MAX_ID, "it has more than " + MAX_ID + " tokens");
            require(json.nextToken() == JsonToken.VALUE_STRING, "token " + id + " of its vocabulary is no text");
            ids.put(json.getText(), id);
            while (json.nextToken() != JsonToken.END_ARRAY) {
                json.skipChildren();
            }
        }
    }

    /** A step, or the steps that a sequence consists of. */
    private void readStep(JsonParser json) throws IOException {
        String type = "none";
        String pattern = "";
        String content = "";
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            JsonToken value = json.nextToken();
            if (field.equals("decoders") && value == JsonToken.START_ARRAY) {
                while (json.nextToken() == JsonToken.START_OBJECT) {
                    readStep(json);
                }
            } else if (field.equals("pattern") && value == JsonToken.START_OBJECT) {
                pattern = readPattern(json);
            } else if (field.equals("type")) {
                type = json.getText();
            } else if (field.equals("content") || field.equals("replacement")) {
                content = json.getText();
            } else {
                json.skipChildren();
            }
        }
        if (!type.equals("Sequence")) {
            steps.add(new Step(type, pattern, content));
        }
    }

    private static String readPattern(JsonParser json) throws IOException {
        String pattern = "";
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            boolean isText = json.currentName().equals("String");
            json.nextToken();
            pattern = isText ? json.getText() : "a regular expression";
            json.skipChildren();
        }
        return pattern;
    }

    private TokenSpelling spelling() {
        List<String> types = steps.stream().map(Step::type).toList();
        if (types.equals(List.of("ByteLevel"))) {
            return TokenSpelling.BYTE_LEVEL;
        }
        boolean isMetaspace = types.equals(List.of("Metaspace"));
        boolean isSequence = types.contains("Replace") && SEQUENCE_STEPS.containsAll(types);
        require(
                isMetaspace || isSequence,
                "its decoder is " + (types.isEmpty() ? "none" : String.join(", ", types))
                        + "; supported: ByteLevel, Metaspace, and sequences of Replace, ByteFallback, Fuse and Strip");
        for (Step step : steps) {
            boolean isBlank = !step.type.equals("Replace") || (step.pattern.equals(BLANK) && step.content.equals(" "));
            require(
                    isBlank && (!isMetaspace || step.content.equals(BLANK)),
                    "its decoder has a " + step.type + " of \"" + step.pattern + "\", \"" + step.content
                            + "\"; supported is one that makes " + BLANK + " a blank");
        }
        return types.contains("ByteFallback") ? TokenSpelling.METASPACE_WITH_BYTES : TokenSpelling.METASPACE;
    }

    private TokenizerJson.Vocabulary vocabulary(TokenSpelling spelling) {
        int size = 0;
        for (int id : ids.values()) {
            size = Math.max(size, id + 1);
        }
        for (AddedToken token : added) {
            size = Math.max(size, token.id + 1);
        }
        require(size > 0, "it has no tokens");
        require(!hasScores || hasUnknown, "its Unigram model has no unk_id, so that some texts could not be encoded");
        byte[][] bytes = new byte[size][];
        Arrays.fill(bytes, NO_BYTES);
        boolean[] isSpecial = new boolean[size];
        ids.forEach((token, id) -> bytes[id] = spelling.bytesOf(token));
        for (AddedToken token : added) {
            bytes[token.id] = spelling == TokenSpelling.BYTE_LEVEL
                    ? token.content.getBytes(StandardCharsets.UTF_8)
                    : spelling.bytesOf(token.content);
            isSpecial[token.id] = token.isSpecial;
            ids.put(token.content, token.id);
        }
        List<String> addedTokens = added.stream().map(AddedToken::content).toList();
        return new TokenizerJson.Vocabulary(new TokenBytes(bytes, isSpecial), ids, addedTokens, separators());
    }

    private List<String> separators() {
        List<String> separators = new ArrayList<>();
        for (AddedToken token : added) {
            if (!token.isNormalized && !token.content.isEmpty()) {
                if (!isLocal || !token.isPlain) {
                    return List.of();
                }
                separators.add(token.content);
            }
        }
        return separators;
    }

    private static AddedToken readAddedToken(JsonParser json) throws IOException {
        int id = -1;
        String content = "";
        boolean isSpecial = false;
        boolean isNormalized = false;
        boolean isPlain = true;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            JsonToken value = json.nextToken();
            if (field.equals("id")) {
                id = readId(json);
            } else if (field.equals("content")) {
                content = json.getText();
            } else if (field.equals("special")) {
                isSpecial = value == JsonToken.VALUE_TRUE;
            } else if (field.equals("normalized")) {
                isNormalized = value == JsonToken.VALUE_TRUE;
            } else if (field.equals("single_word") || field.equals("lstrip") || field.equals("rstrip")) {
                isPlain &= value == JsonToken.VALUE_FALSE;
            } else {
                json.skipChildren();
            }
        }
        require(id >= 0, "added token \"" + content + "\" has no id");
        return new AddedToken(id, content, isSpecial, isNormalized, isPlain);
    }

    private static int readId(JsonParser json) throws IOException {
        boolean isId = json.currentToken() == JsonToken.VALUE_NUMBER_INT;
        int id = isId ? json.getIntValue() : -1;
        require(id >= 0 && id < MAX_ID, "token id " + json.getText() + " is out of range");
        return id;
    }

    private static void require(boolean isMet, String problem) {
        if (!isMet) {
            throw refusal(problem, null);
        }
    }

    /** In one line, whatever tokens the problem quotes. */
    static EngineException refusal(String problem, @Nullable Throwable cause) {
        String line = problem.replaceAll("[\\p{Cntrl}\\s]+", " ");
        String shown = line.length() <= MAX_MESSAGE_CHARS ? line : line.substring(0, MAX_MESSAGE_CHARS) + "...";
        return new EngineException(Category.CONFIGURATION, "tokenizer.json is not supported: " + shown, cause);
    }
}
