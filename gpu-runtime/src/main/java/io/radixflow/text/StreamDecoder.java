package io.radixflow.text;

import io.radixflow.engine.SamplingParams;

/**
 * Turns the tokens of one answer into text as they come: whole code points only, cut at the first stop string (or, with
 * {@code no_stop_trim}, behind it).
 *
 * <p>Three stages for each byte. Bytes of the token (none for special tokens that are left out, or for ids that the tokenizer doesn't know)
 * go through a UTF-8 checker, which replaces each maximal ill-formed subpart by U+FFFD [1], as Python's {@code errors="replace"} does for
 * the whole byte string. Sound code points enter the text and the stop automaton. What the automaton holds (a proper prefix of a stop) and
 * an unfinished code point are withheld; the rest is ready. So the concatenation of all ready parts is the decoded whole, cut before the
 * stop, however the tokens split it.
 *
 * <p>A stop counts when the token that completes it comes after the first {@code minTokens} ones, where it may have begun, as vLLM does it.
 * Of several stops the one that is complete first wins, of those the longest. End tokens are the caller's business: one that must not show
 * in the text isn't accepted.
 *
 * <p>One per request, used by one thread at a time. {@link #accept} allocates only when the text not yet consumed outgrows the buffer.
 *
 * <p>[1] The Unicode Standard, section 3.9, table 3-7 and "U+FFFD Substitution of Maximal Subparts".
 */
public final class StreamDecoder {

    private static final int INITIAL_BYTES = 128;
    private static final int MAX_BYTES_PER_BYTE = 3; // U+FFFD for an ill-formed byte

    private final TokenBytes tokens;
    private final StopMatcher stops;
    private final boolean skipsSpecialTokens;
    private final int minTokens;
    private final boolean isTrimmed;
    private int numTokens;

    private byte[] text = new byte[INITIAL_BYTES];
    private int readyFrom; // [readyFrom, readyTo) is ready, [readyTo, textEnd) withheld
    private int readyTo;
    private int textEnd;
    private int stopState = StopMatcher.START;
    private boolean isStopped;
    private int matchedStop;

    // A code point begun: its bytes so far, how many are missing, and the range of the next one.
    private final byte[] begun = new byte[4];
    private int begunLen;
    private int missingLen;
    private int nextMin;
    private int nextMax;

    public StreamDecoder(TokenBytes tokens, SamplingParams params) {
        this.tokens = tokens;
        this.stops = StopMatcher.of(params.stop());
        this.skipsSpecialTokens = params.skipSpecialTokens();
        this.minTokens = params.minTokens();
        this.isTrimmed = !params.noStopTrim();
    }

    /** Takes the next token; true once a stop string was found, after which further tokens are ignored. */
    public boolean accept(int tokenId) {
        numTokens++;
        if (isStopped || tokenId >= tokens.vocabSize() || (skipsSpecialTokens && tokens.isSpecial(tokenId))) {
            return isStopped;
        }
        byte[] bytes = tokens.bytes();
        int from = tokens.start(tokenId);
        int to = tokens.end(tokenId);
        reserve((begunLen + to - from) * MAX_BYTES_PER_BYTE);
        for (int i = from; i < to && !isStopped; i++) {
            check(bytes[i]);
        }
        readyTo = isStopped ? textEnd : textEnd - stops.heldLen(stopState);
        return isStopped;
    }

    /** No more tokens: an unfinished code point becomes U+FFFD, and withheld text is ready unless a stop string was found. */
    public void finish() {
        if (!isStopped && begunLen > 0) {
            reserve(MAX_BYTES_PER_BYTE);
            replaceBegun();
        }
        readyTo = textEnd;
    }

    /** Whether a stop string was found. */
    public boolean isStopped() {
        return isStopped;
    }

    /** Index in the request's list of the stop string that was found. */
    public int matchedStop() {
        return matchedStop;
    }

    /** Text not consumed yet is {@code ready()[readyFrom() .. readyTo())}, UTF-8; the array may change with each token. */
    public byte[] ready() {
        return text;
    }

    public int readyFrom() {
        return readyFrom;
    }

    public int readyTo() {
        return readyTo;
    }

    /** Marks all ready text as taken. */
    public void consume() {
        readyFrom = readyTo;
        if (readyFrom == textEnd) {
            readyFrom = 0;
            readyTo = 0;
            textEnd = 0;
        }
    }

    /** Makes room for {@code len} more bytes, first by moving what is left to the front. */
    private void reserve(int len) {
        if (textEnd + len <= text.length) {
            return;
        }
        int keptLen = textEnd - readyFrom;
        byte[] target = keptLen + len <= text.length ? text : new byte[Math.max(2 * text.length, keptLen + len)];
        System.arraycopy(text, readyFrom, target, 0, keptLen);
        text = target;
        readyTo -= readyFrom;
        readyFrom = 0;
        textEnd = keptLen;
    }

    private void check(byte b) {
        int unsigned = b & 0xFF;
        if (missingLen > 0) {
            if (unsigned >= nextMin && unsigned <= nextMax) {
                begun[begunLen++] = b;
                nextMin = 0x80;
                nextMax = 0xBF;
                if (--missingLen == 0) {
                    int len = begunLen;
                    begunLen = 0;
                    emit(begun, len);
                }
                return;
            }
            replaceBegun();
            if (isStopped) {
                return;
            }
        }
        begin(b, unsigned);
    }

    private void begin(byte b, int unsigned) {
        begun[0] = b;
        if (unsigned < 0x80) {
            emit(begun, 1);
            return;
        }
        nextMin = unsigned == 0xE0 ? 0xA0 : unsigned == 0xF0 ? 0x90 : 0x80;
        nextMax = unsigned == 0xED ? 0x9F : unsigned == 0xF4 ? 0x8F : 0xBF;
        begunLen = 1;
        if (unsigned >= 0xC2 && unsigned <= 0xDF) {
            missingLen = 1;
        } else if (unsigned >= 0xE0 && unsigned <= 0xEF) {
            missingLen = 2;
        } else if (unsigned >= 0xF0 && unsigned <= 0xF4) {
            missingLen = 3;
        } else {
            replaceBegun();
        }
    }

    private void replaceBegun() {
        begunLen = 0;
        missingLen = 0;
        begun[0] = (byte) 0xEF;
        begun[1] = (byte) 0xBF;
        begun[2] = (byte) 0xBD;
        emit(begun, MAX_BYTES_PER_BYTE);
    }

    /** Appends one code point. A stop is whole code points, so it can only end with the last byte of one. */
    private void emit(byte[] codePoint, int len) {
        for (int i = 0; i < len; i++) {
            text[textEnd++] = codePoint[i];
        }
        if (!stops.hasStops()) {
            return;
        }
        for (int i = 0; i < len; i++) {
            stopState = stops.step(stopState, codePoint[i]);
        }
        int matchLen = stops.matchLen(stopState);
        if (matchLen > 0 && numTokens > minTokens) {
            isStopped = true;
            matchedStop = stops.matchIndex(stopState);
            textEnd -= isTrimmed ? matchLen : 0;
        }
    }
}
