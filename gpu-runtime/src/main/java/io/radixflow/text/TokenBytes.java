package io.radixflow.text;

/**
 * The bytes that each token id stands for, in one flat array, so that the engine thread detokenises without objects. A token may hold part
 * of a UTF-8 sequence. Immutable.
 */
public final class TokenBytes {

    private final int[] start;
    private final byte[] bytes;
    private final boolean[] isSpecial;

    /**
     * @param tokens bytes of each id
     * @param isSpecial whether the id is a control token, left out of answers by default
     */
    public TokenBytes(byte[][] tokens, boolean[] isSpecial) {
        start = new int[tokens.length + 1];
        for (int id = 0; id < tokens.length; id++) {
            start[id + 1] = start[id] + tokens[id].length;
        }
        bytes = new byte[start[tokens.length]];
        for (int id = 0; id < tokens.length; id++) {
            System.arraycopy(tokens[id], 0, bytes, start[id], tokens[id].length);
        }
        this.isSpecial = isSpecial.clone();
    }

    public int vocabSize() {
        return isSpecial.length;
    }

    /** The token's bytes are {@code bytes()[start(id) .. end(id))}. */
    public int start(int id) {
        return start[id];
    }

    public int end(int id) {
        return start[id + 1];
    }

    /** The flat array; callers only read it. */
    public byte[] bytes() {
        return bytes;
    }

    public boolean isSpecial(int id) {
        return isSpecial[id];
    }
}
