package io.radixflow.engine;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Builds {@link SamplingParams} from the defaults of SGLang; a checked record comes out of {@link #build()}. */
public final class SamplingParamsBuilder {

    private float temperature = 1;
    private float topP = 1;
    private int topK = SamplingParams.ALL_TOKENS;
    private float minP = 0;
    private float presencePenalty = 0;
    private float frequencyPenalty = 0;
    private float repetitionPenalty = 1;
    private int maxTokens = 128;
    private int minTokens = 0;
    private boolean ignoreEos = false;
    private long seed = 0;
    private List<String> stop = List.of();
    private int[] stopTokenIds = {};
    private boolean skipSpecialTokens = true;
    private boolean noStopTrim = false;
    private int logprobs = SamplingParams.NO_LOGPROBS;
    private TokenRules rules = TokenRules.NONE;
    private @Nullable GrammarSpec grammar;

    SamplingParamsBuilder() {}

    SamplingParamsBuilder(SamplingParams from) {
        temperature = from.temperature();
        topP = from.topP();
        topK = from.topK();
        minP = from.minP();
        presencePenalty = from.presencePenalty();
        frequencyPenalty = from.frequencyPenalty();
        repetitionPenalty = from.repetitionPenalty();
        maxTokens = from.maxTokens();
        minTokens = from.minTokens();
        ignoreEos = from.ignoreEos();
        seed = from.seed();
        stop = from.stop();
        stopTokenIds = from.stopTokenIds();
        skipSpecialTokens = from.skipSpecialTokens();
        noStopTrim = from.noStopTrim();
        logprobs = from.logprobs();
        rules = from.rules();
        grammar = from.grammar();
    }

    public SamplingParamsBuilder temperature(float value) {
        temperature = value;
        return this;
    }

    public SamplingParamsBuilder topP(float value) {
        topP = value;
        return this;
    }

    public SamplingParamsBuilder topK(int value) {
        topK = value;
        return this;
    }

    public SamplingParamsBuilder minP(float value) {
        minP = value;
        return this;
    }

    public SamplingParamsBuilder presencePenalty(float value) {
        presencePenalty = value;
        return this;
    }

    public SamplingParamsBuilder frequencyPenalty(float value) {
        frequencyPenalty = value;
        return this;
    }

    public SamplingParamsBuilder repetitionPenalty(float value) {
        repetitionPenalty = value;
        return this;
    }

    public SamplingParamsBuilder maxTokens(int value) {
        maxTokens = value;
        return this;
    }

    public SamplingParamsBuilder minTokens(int value) {
        minTokens = value;
        return this;
    }

    public SamplingParamsBuilder ignoreEos(boolean value) {
        ignoreEos = value;
        return this;
    }

    public SamplingParamsBuilder seed(long value) {
        seed = value;
        return this;
    }

    public SamplingParamsBuilder stop(List<String> value) {
        stop = value;
        return this;
    }

    public SamplingParamsBuilder stopTokenIds(int[] value) {
        stopTokenIds = value;
        return this;
    }

    public SamplingParamsBuilder skipSpecialTokens(boolean value) {
        skipSpecialTokens = value;
        return this;
    }

    public SamplingParamsBuilder noStopTrim(boolean value) {
        noStopTrim = value;
        return this;
    }

    public SamplingParamsBuilder logprobs(int value) {
        logprobs = value;
        return this;
    }

    public SamplingParamsBuilder rules(TokenRules value) {
        rules = value;
        return this;
    }

    /** What the text must be; null for anything. */
    public SamplingParamsBuilder grammar(@Nullable GrammarSpec value) {
        grammar = value;
        return this;
    }

    /** Adds {@code values[i]} to the logit of token {@code ids[i]}. */
    public SamplingParamsBuilder logitBias(int[] ids, float[] values) {
        rules = new TokenRules(ids, values, rules.badWords(), rules.allowedIds());
        return this;
    }

    /** Sequences of tokens that must not come up in the output. */
    public SamplingParamsBuilder badWords(List<int[]> value) {
        rules = new TokenRules(rules.biasIds(), rules.biasValues(), value, rules.allowedIds());
        return this;
    }

    /** The only tokens that may be drawn; empty allows all. */
    public SamplingParamsBuilder allowedTokenIds(int[] value) {
        rules = new TokenRules(rules.biasIds(), rules.biasValues(), rules.badWords(), value);
        return this;
    }

    /** @throws IllegalArgumentException naming the field, if a value is out of its range */
    public SamplingParams build() {
        return new SamplingParams(
                temperature,
                topP,
                topK,
                minP,
                presencePenalty,
                frequencyPenalty,
                repetitionPenalty,
                maxTokens,
                minTokens,
                ignoreEos,
                seed,
                stop,
                stopTokenIds,
                skipSpecialTokens,
                noStopTrim,
                logprobs,
                rules,
                grammar);
    }
}
