package io.radixflow.loop;

import io.radixflow.grammar.ForcedText;
import io.radixflow.grammar.MatchState;
import io.radixflow.grammar.TokenTrie;
import io.radixflow.text.SegmentCache;
import io.radixflow.text.TokenBytes;
import io.radixflow.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Finds the tokens of text that a grammar leaves no choice about, so that no step has to draw them: jump-forward decoding [1].
 *
 * <pre>
 * the text:   [token before)[token drawn)[forced bytes)
 * encoded:    [   )[     kept     )[ kept )[ withheld )
 * </pre>
 *
 * <p>The drawn token, which no client has seen yet and whose KV is not computed, is cut anew together with the forced bytes, as the tokenizer cuts
 * them behind the token before; that one stays. Where the tokenizer would have no cut at its end, what lies before its next cut is encoded
 * alone. From the first token on that could have become a longer one by what may follow, all is withheld: the model chooses it (ADR 0018).
 *
 * <p>What comes out depends on two tokens and a grammar's state alone, so it is the same in each batch and after each restart. Owned by the engine
 * thread. Texts that were encoded lately are remembered.
 *
 * <p>[1] Zheng et al., "SGLang: Efficient Execution of Structured Language Model Programs", 2024.
 */
final class JumpForward {

    static final int NONE = -1;

    private static final int MAX_TEXT_BYTES = 4096;
    private static final long CACHE_BYTES = 4L << 20;

    private final TokenBytes tokens;
    private final int vocabSize;
    private final ForcedText forced;
    private final SegmentCache encoder;
    private final byte[] text = new byte[MAX_TEXT_BYTES];
    private int[] ids = new int[16];
    private int numIds;

    /** @param vocabSize of the model, which may know fewer tokens than the tokenizer */
    JumpForward(Tokenizer tokenizer, TokenBytes tokens, TokenTrie trie, int vocabSize) {
        this.tokens = tokens;
        this.vocabSize = vocabSize;
        forced = new ForcedText(trie);
        encoder = new SegmentCache(tokenizer, CACHE_BYTES);
    }

    /** Of those found last. */
    int id(int place) {
        return ids[place];
    }

    /**
     * Finds the tokens that take a drawn one's place.
     *
     * @param before the token before it, or {@link #NONE}
     * @param drawn grammar's state behind it is {@code after}
     * @param most tokens that the answer may have from there on
     * @return how many they are; 0 if the drawn one stays and nothing can be said of those behind it
     */
    int find(int before, int drawn, MatchState after, int most) {
        int from = before == NONE || !isWhole(before) ? 0 : copy(before, 0);
        if (!isWhole(drawn) || from + tokens.end(drawn) - tokens.start(drawn) >= MAX_TEXT_BYTES) {
            return 0;
        }
        int drawnEnd = copy(drawn, from);
        int end = forced.append(after, text, drawnEnd);
        if (end == drawnEnd || !encode(from, drawnEnd, end, drawn)) {
            return 0;
        }
        int at = from;
        int kept = 0;
        while (kept < numIds && !forced.mayGoOn(text, at, end)) {
            at += length(ids[kept++]);
        }
        return at > drawnEnd && kept <= most ? kept : 0;
    }

    /** Whether the token is text that begins with a whole code point. */
    private boolean isWhole(int id) {
        return !tokens.isSpecial(id)
                && tokens.end(id) > tokens.start(id)
                && tokens.end(id) - tokens.start(id) < MAX_TEXT_BYTES / 2
                && !ForcedText.isContinuation(tokens.bytes()[tokens.start(id)]);
    }

    private int copy(int id, int at) {
        System.arraycopy(tokens.bytes(), tokens.start(id), text, at, length(id));
        return at + length(id);
    }

    private int length(int id) {
        return tokens.end(id) - tokens.start(id);
    }

    /** Cuts {@code text[from, end)} into tokens; false if there are none that spell it. */
    private boolean encode(int from, int drawnEnd, int end, int drawn) {
        int[] whole = encoder.encode(string(0, end));
        int first = whole.length;
        int cut = end; // where token `first` begins
        while (first > 0 && cut - length(whole[first - 1]) >= from && spells(whole[first - 1], cut)) {
            cut -= length(whole[--first]);
        }
        boolean isSpelled = cut == from || (first > 0 && cut - length(whole[first - 1]) < from);
        numIds = 0;
        if (isSpelled && cut > from) {
            isSpelled = encodeSeam(from, drawnEnd, cut, drawn);
        }
        if (!isSpelled) {
            return false;
        }
        add(whole, first, whole.length);
        return true;
    }

    /** The text from the end of the token before to the tokenizer's next cut. */
    private boolean encodeSeam(int from, int drawnEnd, int cut, int drawn) {
        if (cut == drawnEnd) {
            add(new int[] {drawn}, 0, 1);
            return true;
        }
        int[] seam = encoder.encode(string(from, cut));
        int at = cut;
        int first = seam.length;
        while (first > 0 && at - length(seam[first - 1]) >= from && spells(seam[first - 1], at)) {
            at -= length(seam[--first]);
        }
        add(seam, 0, seam.length);
        return at == from && first == 0;
    }

    /** Whether the token's text is what ends at {@code to}. */
    private boolean spells(int id, int to) {
        int len = length(id);
        return len > 0
                && id < vocabSize
                && !tokens.isSpecial(id)
                && Arrays.equals(tokens.bytes(), tokens.start(id), tokens.end(id), text, to - len, to);
    }

    private void add(int[] all, int from, int to) {
        if (numIds + to - from > ids.length) {
            ids = Arrays.copyOf(ids, Math.max(2 * ids.length, numIds + to - from));
        }
        System.arraycopy(all, from, ids, numIds, to - from);
        numIds += to - from;
    }

    private String string(int from, int to) {
        return new String(text, from, to - from, StandardCharsets.UTF_8);
    }
}
