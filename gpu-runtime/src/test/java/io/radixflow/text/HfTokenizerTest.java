package io.radixflow.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import io.radixflow.engine.SamplingParams;
import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HfTokenizerTest {

    private static final List<String> TEXTS = Goldens.strings(Goldens.json("texts.json"));

    @ParameterizedTest
    @ValueSource(strings = {"smollm", "qwen2"})
    void encodesTokenizerJsonAsThePythonLibraryDoes(String pre) {
        try (HfTokenizer tokenizer = tiny(pre)) {
            assertIdsMatch(tokenizer, Goldens.json("tiny-ids.json").get(pre).get("ids"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"smollm", "qwen2"})
    void encodesAGgufVocabularyAsTheTokenizerJsonItCameFrom(String pre) {
        try (HfTokenizer tokenizer = HfTokenizer.fromVocabulary(tinySpec(pre));
                HfTokenizer original = tiny(pre)) {
            assertIdsMatch(tokenizer, Goldens.json("tiny-ids.json").get(pre).get("ids"));
            assertThat(tokenizer.vocabSize()).isEqualTo(original.vocabSize());
            for (int id = 0; id < tokenizer.vocabSize(); id++) {
                assertThat(bytesOf(tokenizer, id)).isEqualTo(bytesOf(original, id));
                assertThat(tokenizer.tokenBytes().isSpecial(id))
                        .isEqualTo(original.tokenBytes().isSpecial(id));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"smollm", "qwen2"})
    void decodesAsThePythonLibraryDoes(String pre) {
        JsonNode golden = Goldens.json("tiny-ids.json").get(pre);
        try (HfTokenizer tokenizer = tiny(pre)) {
            for (int i = 0; i < TEXTS.size(); i++) {
                int[] ids = Goldens.ints(golden.get("ids").get(i));
                assertThat(decode(tokenizer, ids, false))
                        .isEqualTo(golden.get("decoded").get(i).textValue());
                assertThat(decode(tokenizer, ids, true))
                        .isEqualTo(golden.get("decodedWithoutSpecial").get(i).textValue());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama3", "llama2", "mistral", "gemma", "t5"})
    void encodesAndDecodesTheKindsOfModelFamiliesAsThePythonLibraryDoes(String kind) {
        JsonNode golden = Goldens.json("kinds.json.gz").get(kind);
        try (HfTokenizer tokenizer =
                HfTokenizer.fromTokenizerJson(golden.get("tokenizer").textValue())) {
            assertIdsMatch(tokenizer, golden.get("ids"));
            for (int i = 0; i < TEXTS.size(); i++) {
                int[] ids = Goldens.ints(golden.get("ids").get(i));
                assertThat(decode(tokenizer, ids, false))
                        .isEqualTo(golden.get("decoded").get(i).textValue());
            }
            assertThat(tokenizer.tokenBytes().isSpecial(tokenizer.idOf("<|im_end|>")))
                    .isTrue();
            assertThat(tokenizer.tokenBytes().isSpecial(tokenizer.idOf("<think>")))
                    .isFalse();
        }
    }

    @Test
    void spellsBytesAndBlanksOfSentencePiece() {
        String json =
                Goldens.json("kinds.json.gz").get("llama2").get("tokenizer").textValue();
        try (HfTokenizer tokenizer = HfTokenizer.fromTokenizerJson(json)) {
            assertThat(bytesOf(tokenizer, tokenizer.idOf("<0xE2>"))).containsExactly(0xE2);
            assertThat(bytesOf(tokenizer, tokenizer.idOf("<0x0A>"))).containsExactly('\n');
            assertThat(bytesOf(tokenizer, tokenizer.idOf("\u2581"))).containsExactly(' ');
            int[] outOfVocabulary = tokenizer.encode("\u2F42");
            assertThat(outOfVocabulary).hasSize(4);
            assertThat(decode(tokenizer, outOfVocabulary, true)).isEqualTo(" \u2F42");
        }
    }

    @Test
    void findsSpecialTokensByNameAndInText() {
        try (HfTokenizer tokenizer = tiny("smollm")) {
            int start = tokenizer.idOf("<|im_start|>");
            assertThat(tokenizer.encode("<|im_start|>")).containsExactly(start);
            assertThat(tokenizer.tokenBytes().isSpecial(start)).isTrue();
            assertThat(tokenizer.tokenBytes().isSpecial(tokenizer.idOf("<think>")))
                    .isFalse();
            assertThat(tokenizer.idOf("<|no such token|>")).isEqualTo(-1);
            assertThat(bytesOf(tokenizer, start)).isEqualTo("<|im_start|>".getBytes(StandardCharsets.UTF_8));
        }
    }

    @Test
    void encodesLoneSurrogatesAsReplacementCharacters() {
        try (HfTokenizer tokenizer = tiny("smollm")) {
            for (String lone : List.of("\uD83D", "a\uD83Db", "\uDE00", "\uDE00\uD83D", "x\uD83D\uD83D\uDE00")) {
                String repaired = lone.replace("\uD83D\uDE00", "😀")
                        .codePoints()
                        .map(c -> Character.getType(c) == Character.SURROGATE ? 0xFFFD : c)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString();
                assertThat(tokenizer.encode(lone)).isEqualTo(tokenizer.encode(repaired));
                assertThat(decode(tokenizer, tokenizer.encode(lone), true)).isEqualTo(repaired);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"smollm", "qwen2"})
    void encodesNulsAndVeryLongTexts(String pre) {
        List<String> texts = List.of(
                "\0",
                "a\0b",
                "\0".repeat(1000),
                "word ".repeat(20_000),
                "a".repeat(50_000),
                " ".repeat(50_000) + "x",
                "\n".repeat(50_000),
                "7".repeat(50_000));
        try (HfTokenizer tokenizer = tiny(pre)) {
            for (String text : texts) {
                assertThat(decode(tokenizer, tokenizer.encode(text), true)).isEqualTo(text);
            }
        }
    }

    /** As in a session cluster, whose jobs have a class loader each while the JVM lives on. */
    @Test
    void loadsTheNativeLibraryInASecondClassLoader() throws Exception {
        String json = Goldens.text("tiny-smollm.json");
        List<URL> classPath = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            classPath.add(Path.of(entry).toUri().toURL());
        }
        try (HfTokenizer here = HfTokenizer.fromTokenizerJson(json);
                URLClassLoader loader =
                        new URLClassLoader(classPath.toArray(new URL[0]), ClassLoader.getPlatformClassLoader())) {
            Class<?> other = loader.loadClass(HfTokenizer.class.getName());
            assertThat(other).isNotSameAs(HfTokenizer.class);
            Object there = other.getMethod("fromTokenizerJson", String.class).invoke(null, json);
            assertThat(other.getMethod("encode", String.class).invoke(there, "two loaders"))
                    .isEqualTo(here.encode("two loaders"));
            other.getMethod("close").invoke(there);
        }
    }

    @Test
    void encodesOnManyThreadsAtOnce() throws Exception {
        JsonNode golden = Goldens.json("tiny-ids.json").get("qwen2").get("ids");
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try (HfTokenizer tokenizer = tiny("qwen2")) {
            Callable<Boolean> encodeAll = () -> {
                assertIdsMatch(tokenizer, golden);
                return true;
            };
            for (Future<Boolean> result :
                    threads.invokeAll(List.of(encodeAll, encodeAll, encodeAll, encodeAll, encodeAll))) {
                assertThat(result.get()).isTrue();
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void refusesToEncodeOnceClosed() {
        HfTokenizer tokenizer = tiny("smollm");
        tokenizer.close();
        tokenizer.close();
        assertThatThrownBy(() -> tokenizer.encode("x")).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void ignoresTruncationAndPaddingOfTheFile() {
        String json = Goldens.text("tiny-smollm.json")
                .replace(
                        "\"truncation\":null",
                        "\"truncation\":{\"direction\":\"Right\",\"max_length\":2,\"strategy\":\"LongestFirst\",\"stride\":0}")
                .replace(
                        "\"padding\":null",
                        "\"padding\":{\"strategy\":{\"Fixed\":64},\"direction\":\"Right\",\"pad_to_multiple_of\":null,"
                                + "\"pad_id\":0,\"pad_type_id\":0,\"pad_token\":\"<|endoftext|>\"}");
        assertThat(json).contains("\"max_length\":2").contains("\"Fixed\":64");
        try (HfTokenizer tokenizer = HfTokenizer.fromTokenizerJson(json);
                HfTokenizer original = tiny("smollm")) {
            assertThat(tokenizer.encode("a few words, digits 123"))
                    .isEqualTo(original.encode("a few words, digits 123"));
        }
    }

    @Test
    void refusesWhatItDoesNotSupportInOneLine() {
        String json = Goldens.text("tiny-smollm.json");
        assertRefused(
                () -> HfTokenizer.fromTokenizerJson("not json"),
                "tokenizer.json is not supported: it is no sound JSON: Unrecognized token");
        assertRefused(() -> HfTokenizer.fromTokenizerJson("[]"), "no JSON object");
        assertRefused(() -> HfTokenizer.fromTokenizerJson("{}"), "its decoder is none");
        assertRefused(
                () -> HfTokenizer.fromTokenizerJson(json.replace("\"type\":\"BPE\"", "\"type\":\"WordPiece\"")),
                "its model is WordPiece");
        assertRefused(
                () -> HfTokenizer.fromTokenizerJson(
                        json.replace("\"continuing_subword_prefix\":null", "\"continuing_subword_prefix\":\"prefix\"")),
                "its model has a continuing_subword_prefix");
        String unigram =
                Goldens.json("kinds.json.gz").get("t5").get("tokenizer").textValue();
        assertRefused(
                () -> HfTokenizer.fromTokenizerJson(unigram.replace("\"unk_id\":2", "\"unk_id\":null")),
                "its Unigram model has no unk_id");
        assertRefused(
                () -> HfTokenizer.fromTokenizerJson("{\"decoder\":{\"type\":\"WordPiece\"}}"),
                "its decoder is WordPiece; supported: ByteLevel, Metaspace, and sequences of");
        assertRefused(
                () -> HfTokenizer.fromTokenizerJson("{\"decoder\":{\"type\":\"Sequence\",\"decoders\":["
                        + "{\"type\":\"Replace\",\"pattern\":{\"String\":\"_\"},\"content\":\" \"}]}}"),
                "its decoder has a Replace of \"_\", \" \"; supported is one that makes");
        assertRefused(
                () -> HfTokenizer.fromTokenizerJson(json.replace("{\"id\":641,", "{\"id\":700,")),
                "added token \"</think>\" has id 700, but the tokenizer library counts it as 641");
        assertRefused(
                () -> HfTokenizer.fromTokenizerJson(json.replace("{\"id\":641,", "{\"id\":16000000,")),
                "token id 16000000 is out of range");
        assertRefused(() -> HfTokenizer.fromTokenizerJson(Path.of("no", "such.json")), "can't read no/such.json");
        assertRefused(
                () -> new VocabularySpec("gpt2", "llama-bpe", List.of("a"), new int[] {1}, List.of()),
                "pre-tokenizer \"llama-bpe\" is not supported");
        assertRefused(
                () -> new VocabularySpec("llama", "default", List.of("a"), new int[] {1}, List.of()),
                "tokenizer model \"llama\" is not supported");
        assertRefused(() -> new VocabularySpec("gpt2", "qwen2", List.of("a"), new int[2], List.of()), "2 token types");
        assertRefused(
                () -> HfTokenizer.fromVocabulary(
                        new VocabularySpec("gpt2", "qwen2", List.of("a"), new int[] {1}, List.of("ab"))),
                "merge \"ab\" is not a pair");
    }

    @Test
    void leavesNoSettingsBehind() {
        tiny("smollm").close();
        assertThat(System.getProperty("ai.djl.offline")).isNull();
        assertThat(System.getProperty("ENGINE_CACHE_DIR")).isNull();
    }

    private static void assertRefused(Runnable action, String message) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.category()).isEqualTo(Category.CONFIGURATION))
                .hasMessageContaining(message);
    }

    static void assertIdsMatch(HfTokenizer tokenizer, JsonNode golden) {
        assertThat(golden.size()).isEqualTo(TEXTS.size());
        for (int i = 0; i < golden.size(); i++) {
            assertThat(tokenizer.encode(TEXTS.get(i)))
                    .as("ids of \"%s\"", TEXTS.get(i))
                    .isEqualTo(Goldens.ints(golden.get(i)));
        }
    }

    static String decode(HfTokenizer tokenizer, int[] ids, boolean skipSpecialTokens) {
        SamplingParams params =
                SamplingParams.builder().skipSpecialTokens(skipSpecialTokens).build();
        StreamDecoder decoder = new StreamDecoder(tokenizer.tokenBytes(), params);
        for (int id : ids) {
            decoder.accept(id);
        }
        decoder.finish();
        return new String(
                decoder.ready(), decoder.readyFrom(), decoder.readyTo() - decoder.readyFrom(), StandardCharsets.UTF_8);
    }

    private static byte[] bytesOf(HfTokenizer tokenizer, int id) {
        TokenBytes tokens = tokenizer.tokenBytes();
        return Arrays.copyOfRange(tokens.bytes(), tokens.start(id), tokens.end(id));
    }

    private static HfTokenizer tiny(String pre) {
        return HfTokenizer.fromTokenizerJson(Goldens.text("tiny-" + pre + ".json"));
    }

    /** The tiny tokenizer as a GGUF would hold it. */
    static VocabularySpec tinySpec(String pre) {
        JsonNode json = Goldens.json("tiny-" + pre + ".json");
        int size = json.get("model").get("vocab").size();
        for (JsonNode added : json.get("added_tokens")) {
            size = Math.max(size, added.get("id").intValue() + 1);
        }
        String[] tokens = new String[size];
        int[] types = new int[size];
        Arrays.fill(types, 1);
        json.get("model")
                .get("vocab")
                .fields()
                .forEachRemaining(e -> tokens[e.getValue().intValue()] = e.getKey());
        for (JsonNode added : json.get("added_tokens")) {
            int id = added.get("id").intValue();
            tokens[id] = added.get("content").textValue();
            types[id] = added.get("special").booleanValue() ? 3 : 4;
        }
        List<String> merges = new ArrayList<>();
        for (JsonNode merge : json.get("model").get("merges")) {
            merges.add(merge.get(0).textValue() + " " + merge.get(1).textValue());
        }
        return new VocabularySpec("gpt2", pre, Arrays.asList(tokens), types, merges);
    }
}
