package io.radixflow.grammar;

import io.radixflow.text.TokenBytes;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Small vocabularies of tests: every byte, and random pieces of an alphabet. The last token is the end. */
final class Vocabularies {

    private Vocabularies() {}

    static TokenBytes random(Random random, String[] alphabet, int numPieces) {
        Set<String> pieces = new LinkedHashSet<>();
        for (int i = 0; i < numPieces; i++) {
            StringBuilder piece = new StringBuilder();
            int len = 1 + random.nextInt(5);
            for (int j = 0; j < len; j++) {
                piece.append(alphabet[random.nextInt(alphabet.length)]);
            }
            pieces.add(piece.toString());
        }
        List<byte[]> tokens = new ArrayList<>();
        for (int value = 0; value < 256; value++) {
            tokens.add(new byte[] {(byte) value});
        }
        for (String piece : pieces) {
            tokens.add(piece.getBytes(StandardCharsets.UTF_8));
        }
        tokens.add("<end>".getBytes(StandardCharsets.UTF_8));
        boolean[] isSpecial = new boolean[tokens.size()];
        isSpecial[tokens.size() - 1] = true;
        return new TokenBytes(tokens.toArray(byte[][]::new), isSpecial);
    }

    static int end(TokenBytes tokens) {
        return tokens.vocabSize() - 1;
    }

    static boolean isSet(long[] mask, int id) {
        return (mask[id >> 6] >>> id & 1) != 0;
    }

    /** Whether the grammar matches all of the text, byte by byte. */
    static boolean accepts(CompiledGrammar grammar, String text) {
        LazyStates states = new LazyStates(grammar);
        MatchState state = states.start();
        for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
            state = states.step(state, value & 0xFF);
        }
        return state != MatchState.DEAD && state.isAccepting();
    }
}
