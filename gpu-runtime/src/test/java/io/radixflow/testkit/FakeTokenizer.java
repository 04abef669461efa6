package io.radixflow.testkit;

import io.radixflow.text.ChatTemplate;
import io.radixflow.text.TextModel;
import io.radixflow.text.TokenBytes;
import io.radixflow.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A tokenizer whose ids are the text's UTF-8 bytes, and one end token. */
public final class FakeTokenizer implements Tokenizer {

    public static final int EOS_ID = 256;
    public static final int VOCAB_SIZE = 257;
    public static final int CONTEXT_LEN = 1_024;

    private static final String EOS = "<eos>";

    /** The text side of a model named {@code fake} with a context of {@value #CONTEXT_LEN} tokens. */
    public static TextModel textModel(@Nullable ChatTemplate template) {
        return new TextModel("fake", new FakeTokenizer(), template, null, "", EOS, new int[] {EOS_ID}, CONTEXT_LEN);
    }

    @Override
    public int[] encode(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[bytes.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = bytes[i] & 0xff;
        }
        return ids;
    }

    @Override
    public int vocabSize() {
        return VOCAB_SIZE;
    }

    @Override
    public int idOf(String token) {
        return token.equals(EOS) ? EOS_ID : -1;
    }

    @Override
    public TokenBytes tokenBytes() {
        byte[][] tokens = new byte[VOCAB_SIZE][];
        boolean[] isSpecial = new boolean[VOCAB_SIZE];
        for (int id = 0; id < EOS_ID; id++) {
            tokens[id] = new byte[] {(byte) id};
        }
        tokens[EOS_ID] = EOS.getBytes(StandardCharsets.UTF_8);
        isSpecial[EOS_ID] = true;
        return new TokenBytes(tokens, isSpecial);
    }

    @Override
    public void close() {
        // Owns nothing.
    }
}
