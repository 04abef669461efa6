package io.radixflow.loop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.grammar.GrammarCompiler;
import io.radixflow.grammar.MaskBuilder;
import io.radixflow.grammar.MatchState;
import io.radixflow.grammar.TokenTrie;
import io.radixflow.text.HfTokenizer;
import io.radixflow.text.TokenBytes;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPInputStream;

/** Jump-forward over one of the golden tokenizers: small vocabularies, cut as the model families cut. */
final class JumpScene implements AutoCloseable {

    /** Those that write what they are given, without a blank of their own in front. */
    static final List<String> KINDS = List.of("tiny-smollm", "tiny-qwen2", "gpt2", "llama3");

    static final String END = "<|im_end|>";

    final HfTokenizer tokenizer;
    final TokenBytes tokens;
    final int end;
    final MaskBuilder masks;
    final JumpForward jumps;

    JumpScene(String kind) {
        tokenizer = open(kind);
        tokens = tokenizer.tokenBytes();
        end = tokenizer.idOf(END);
        TokenTrie trie = new TokenTrie(tokens);
        masks = new MaskBuilder(tokens, trie, new int[] {end});
        jumps = new JumpForward(tokenizer, tokens, trie, tokens.vocabSize());
    }

    static HfTokenizer open(String kind) {
        try {
            if (kind.startsWith("tiny")) {
                return HfTokenizer.fromTokenizerJson(new String(resource(kind + ".json"), StandardCharsets.UTF_8));
            }
            JsonNode kinds = new ObjectMapper()
                    .readTree(new GZIPInputStream(new ByteArrayInputStream(resource("kinds.json.gz"))));
            return HfTokenizer.fromTokenizerJson(
                    kinds.get(kind).get("tokenizer").textValue());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = JumpScene.class.getResourceAsStream("/golden/text/" + name)) {
            if (in == null) {
                throw new IllegalArgumentException("no golden file " + name);
            }
            return in.readAllBytes();
        }
    }

    byte[] bytesOf(List<Integer> ids) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int id : ids) {
            out.write(tokens.bytes(), tokens.start(id), tokens.end(id) - tokens.start(id));
        }
        return out.toByteArray();
    }

    MatchState start(GrammarSpec spec) {
        return masks.start(GrammarCompiler.compile(spec));
    }

    MatchState accept(MatchState state, int id) {
        return Objects.requireNonNull(masks.accept(state, id));
    }

    /** Those found last. */
    List<Integer> found(int num) {
        List<Integer> found = new ArrayList<>();
        for (int i = 0; i < num; i++) {
            found.add(jumps.id(i));
        }
        return found;
    }

    List<Integer> allowed(MatchState state) {
        long[] mask = masks.mask(state);
        List<Integer> ids = new ArrayList<>();
        for (int id = 0; id < 64 * mask.length; id++) {
            if ((mask[id >> 6] >>> id & 1) != 0) {
                ids.add(id);
            }
        }
        return ids;
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
