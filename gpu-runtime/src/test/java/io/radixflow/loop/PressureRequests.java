package io.radixflow.loop;

import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.SamplingParamsBuilder;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The requests of {@link PressureSoak}: each is a function of its number alone, so that it can be asked again. Outputs are far longer than an optimistic
 * engine reserves for. A third begins with one of a few shared prefixes, one in 16 has a namespace of its own; one in five is constrained by a schema
 * or an expression, two in five are drawn, some with penalties and stop strings.
 */
final class PressureRequests {

    static final String REGEX = "[a-f]{8,24}(-[0-9]{2}){1,3}";

    private static final int NUM_PREFIXES = 8;
    private static final int PREFIX_LEN = 40;
    private static final int MAX_OWN_LEN = 16;
    private static final int MIN_OUTPUT_LEN = 1;
    private static final int MAX_OUTPUT_LEN = 100;
    private static final int MAX_CONSTRAINED_LEN = 60;
    private static final int NUM_SCHEMAS = 6;
    private static final int NUM_NAMESPACES = 1000;

    private final int vocabSize;
    private final int[][] prefixes = new int[NUM_PREFIXES][];

    PressureRequests(int vocabSize) {
        this.vocabSize = vocabSize;
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < NUM_PREFIXES; i++) {
            prefixes[i] = ids(random, PREFIX_LEN);
        }
    }

    /**
     * @param number of the request, which says what it asks for
     * @param requestId under which it asks
     */
    GenerationRequest request(long number, long requestId) {
        SplittableRandom random = new SplittableRandom(number);
        int[] own = ids(random, 1 + random.nextInt(MAX_OWN_LEN));
        int[] prompt = own;
        if (random.nextInt(3) == 0) {
            int[] prefix = prefixes[random.nextInt(NUM_PREFIXES)];
            prompt = new int[prefix.length + own.length];
            System.arraycopy(prefix, 0, prompt, 0, prefix.length);
            System.arraycopy(own, 0, prompt, prefix.length, own.length);
        }
        SamplingParamsBuilder params = SamplingParams.builder()
                .temperature(random.nextInt(5) < 3 ? 0 : 1)
                .seed(number);
        if (isConstrained(number)) {
            params.grammar(grammar(number)).maxTokens(MAX_CONSTRAINED_LEN);
        } else {
            params.ignoreEos(true)
                    .maxTokens(MIN_OUTPUT_LEN + random.nextInt(MAX_OUTPUT_LEN - MIN_OUTPUT_LEN + 1))
                    .stop(random.nextInt(6) == 0 ? List.of("abc", "\n\n") : List.of());
            if (random.nextInt(4) == 0) {
                params.topP(0.9f).topK(50);
            } else if (random.nextInt(4) == 0) {
                params.repetitionPenalty(1.2f).frequencyPenalty(0.5f);
            }
        }
        String salt = random.nextInt(16) == 0 ? "tenant " + random.nextInt(NUM_NAMESPACES) : null;
        return GenerationRequest.builder(requestId, prompt, params.build())
                .cacheSalt(salt)
                .build();
    }

    static boolean isConstrained(long number) {
        return number % 5 == 4;
    }

    /** Of the constrained ones, whether the answer is JSON; else it fits {@link #REGEX}. */
    static boolean isJson(long number) {
        return number % 10 == 9;
    }

    private static GrammarSpec grammar(long number) {
        return isJson(number)
                ? GrammarSpec.of(
                        GrammarSpec.Kind.JSON_SCHEMA,
                        "{\"type\":\"object\",\"properties\":{\"kind\":{\"enum\":[\"bug\",\"praise\"]},\"level_"
                                + number / 10 % NUM_SCHEMAS
                                + "\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":99},\"note\":{\"type\":\"string\",\"maxLength\":12}},"
                                + "\"required\":[\"kind\",\"level_" + number / 10 % NUM_SCHEMAS
                                + "\",\"note\"],\"additionalProperties\":false}")
                : GrammarSpec.of(GrammarSpec.Kind.REGEX, REGEX);
    }

    private int[] ids(SplittableRandom random, int len) {
        int[] ids = new int[len];
        for (int i = 0; i < len; i++) {
            ids[i] = random.nextInt(vocabSize);
        }
        return ids;
    }
}
