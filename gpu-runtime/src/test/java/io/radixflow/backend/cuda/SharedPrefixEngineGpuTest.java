package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.loop.Engines;
import io.radixflow.testkit.RecordingListener;
import io.radixflow.testkit.TrainedDecoder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A thousand greedy answers behind prompts that form a random tree, with and without segments. */
@Tag("gpu")
final class SharedPrefixEngineGpuTest {

    private static final int NUM_PROMPTS = 1000;
    private static final int MAX_TOKENS = 16;
    /** Two tokens so close in log-probability that the order of sums may decide. */
    private static final double NEAR_TIE = 0.15;

    @TempDir
    Path folder;

    /** What one request got. */
    private record Answer(List<Integer> tokens, List<String> alternatives) {}

    /** Of models that have learned something, on texts that they haven't seen. */
    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen2", "qwen3"})
    void tokensAreTheSame(String architecture) {
        TrainedDecoder.write(architecture, folder);
        int[][] texts = TrainedDecoder.sequences();
        Random random = new Random(78);
        int[][] prompts = new int[NUM_PROMPTS][];
        for (int id = 0; id < NUM_PROMPTS; id++) {
            int[] text = texts[random.nextInt(texts.length)];
            int at = random.nextInt(text.length - 40);
            grow(prompts, id, Arrays.copyOfRange(text, at, at + 1 + random.nextInt(40)), 100, random);
        }
        assertThat(leastSame(folder, prompts)).isGreaterThanOrEqualTo(NUM_PROMPTS * 95 / 100);
    }

    /** Long ones; a random model is seldom sure, so many of its tokens are near ties. */
    @Test
    void tokensOfARandomModelDifferByNearTiesOnly() {
        Path file = GpuModel.write(folder, 128, 8, 2, 2);
        Random random = new Random(77);
        int[][] prompts = new int[NUM_PROMPTS][];
        for (int id = 0; id < NUM_PROMPTS; id++) {
            int own = 1 + random.nextInt(random.nextInt(8) == 0 ? 400 : 40);
            grow(prompts, id, GpuModel.ids(own, 77 + id), 700, random);
        }
        assertThat(leastSame(file, prompts)).isGreaterThan(NUM_PROMPTS / 2);
    }

    /** A prompt that takes some of an earlier one's tokens along. */
    private static void grow(int[][] prompts, int id, int[] own, int maxLen, Random random) {
        int[] elder = prompts[random.nextInt(Math.max(1, id / 4))];
        int taken = elder == null ? 0 : elder.length - random.nextInt(Math.min(80, elder.length));
        taken = Math.min(taken, maxLen - own.length);
        int[] prompt = new int[taken + own.length];
        if (elder != null) {
            System.arraycopy(elder, 0, prompt, 0, taken);
        }
        System.arraycopy(own, 0, prompt, taken, own.length);
        prompts[id] = prompt;
    }

    /** How many answers are the same with segments as without, at least; where the others part, it must be a near tie. */
    private static int leastSame(Path model, int[][] prompts) {
        Answer[] off = run(model, prompts, "off");
        int least = NUM_PROMPTS;
        for (String kind : List.of("off", "always", "auto")) {
            Answer[] other = run(model, prompts, kind);
            int numSame = 0;
            double widest = 0;
            for (int id = 0; id < NUM_PROMPTS; id++) {
                List<Integer> expected = off[id].tokens();
                List<Integer> actual = other[id].tokens();
                assertThat(actual).hasSameSizeAs(expected);
                int at = 0;
                while (at < expected.size() && expected.get(at).equals(actual.get(at))) {
                    at++;
                }
                if (at == expected.size()) {
                    numSame++;
                } else {
                    widest = Math.max(widest, gap(off[id].alternatives().get(at), actual.get(at)));
                }
            }
            System.out.printf(
                    "%d of %d answers of %d tokens are the same with %s as with off; the first other token was at most %.4f less likely in log%n",
                    numSame, NUM_PROMPTS, MAX_TOKENS, kind, widest);
            assertThat(widest).as(kind).isLessThan(NEAR_TIE);
            least = Math.min(least, numSame);
        }
        return least;
    }

    /** By how much the token was less likely than the likeliest one. */
    private static double gap(String alternatives, int token) {
        String[] all = alternatives.trim().split(" ", -1);
        double best = Double.parseDouble(all[0].split(":", 2)[1]);
        for (String one : all) {
            if (one.startsWith(token + ":")) {
                return best - Double.parseDouble(one.split(":", 2)[1]);
            }
        }
        return Double.POSITIVE_INFINITY;
    }

    private static Answer[] run(Path file, int[][] prompts, String sharing) {
        Map<String, String> texts = GpuModel.options(file);
        texts.put("max-total-tokens", "100000");
        texts.put("max-running-requests", "200");
        texts.put("shared-prefix-attention", sharing);
        SamplingParams params = SamplingParams.builder()
                .temperature(0)
                .maxTokens(MAX_TOKENS)
                .ignoreEos(true)
                .logprobs(4)
                .build();
        RecordingListener listener = new RecordingListener();
        try (Engine engine = Engines.start(EngineConfig.of(texts));
                EngineSession session = engine.open(listener)) {
            List<GenerationRequest> requests = new ArrayList<>();
            for (int id = 0; id < prompts.length; id++) {
                requests.add(new GenerationRequest(id, prompts[id], params));
            }
            assertThat(session.submitAll(requests)).isTrue();
            listener.awaitEnded(prompts.length);
        }
        Answer[] answers = new Answer[prompts.length];
        for (int id = 0; id < prompts.length; id++) {
            answers[id] = new Answer(listener.of(id).tokens(), listener.of(id).alternatives());
        }
        return answers;
    }
}
