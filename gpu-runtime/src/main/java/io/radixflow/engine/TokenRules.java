package io.radixflow.engine;

import java.util.Arrays;
import java.util.List;

/**
 * What a request says about single tokens, before penalties and temperature. Immutable by convention: nobody writes the arrays.
 *
 * <p>Ids are compared with the model's vocabulary when the request is submitted.
 *
 * @param biasIds tokens whose logits are shifted, each once
 * @param biasValues what is added to the logit of the token in the same place, [-100, 100]
 * @param badWords sequences of tokens that must not come up in the output: the last token of one is banned while the others are the newest
 *     of the output
 * @param allowedIds the only tokens that may be drawn, each once; empty allows all
 */
public record TokenRules(int[] biasIds, float[] biasValues, List<int[]> badWords, int[] allowedIds) {

    public static final TokenRules NONE = new TokenRules(new int[0], new float[0], List.of(), new int[0]);

    public static final float MAX_BIAS = 100;
    public static final int MAX_BAD_WORDS = 1024;
    public static final int MAX_BAD_WORD_LEN = 64;

    public TokenRules {
        if (biasIds.length != biasValues.length) {
            throw new IllegalArgumentException(
                    "logit_bias has " + biasIds.length + " tokens but " + biasValues.length + " values");
        }
        checkDistinct("logit_bias", biasIds);
        for (int i = 0; i < biasIds.length; i++) {
            if (!(Math.abs(biasValues[i]) <= MAX_BIAS)) {
                throw new IllegalArgumentException(
                        "logit_bias must be in [-100, 100], got " + biasValues[i] + " for token " + biasIds[i]);
            }
        }
        badWords = List.copyOf(badWords);
        if (badWords.size() > MAX_BAD_WORDS) {
            throw new IllegalArgumentException(
                    "bad_words must be at most " + MAX_BAD_WORDS + " sequences, got " + badWords.size());
        }
        for (int[] word : badWords) {
            if (word.length == 0 || word.length > MAX_BAD_WORD_LEN) {
                throw new IllegalArgumentException("bad_words must be sequences of 1 to " + MAX_BAD_WORD_LEN
                        + " tokens, got one of " + word.length);
            }
            checkIds("bad_words", word);
        }
        checkDistinct("allowed_token_ids", allowedIds);
    }

    public boolean isEmpty() {
        return biasIds.length == 0 && badWords.isEmpty() && allowedIds.length == 0;
    }

    private static void checkDistinct(String field, int[] ids) {
        checkIds(field, ids);
        int[] sorted = ids.clone();
        Arrays.sort(sorted);
        for (int i = 1; i < sorted.length; i++) {
            if (sorted[i] == sorted[i - 1]) {
                throw new IllegalArgumentException(field + " must name a token once, got " + sorted[i] + " twice");
            }
        }
    }

    private static void checkIds(String field, int[] ids) {
        for (int id : ids) {
            if (id < 0) {
                throw new IllegalArgumentException(field + " must hold token ids, 0 or more, got " + id);
            }
        }
    }
}
