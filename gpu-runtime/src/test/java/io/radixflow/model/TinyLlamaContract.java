package io.radixflow.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.Backend;
import io.radixflow.backend.KvLayout;
import io.radixflow.testkit.SequenceRunner;
import io.radixflow.testkit.TinyModel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a backend's logits of the tiny llamas must be, however the tokens are cut into steps. */
abstract class TinyLlamaContract {

    /** FEATURES' bound for fp32 logits; those of the tiny llamas have a standard deviation of 4. */
    private static final float MAX_DIFFERENCE = 1e-4f;

    private static final int CHUNK_LEN = 7;
    private static final int MAX_TOKENS = 40;

    @TempDir
    Path folder;

    /** A backend with exact fp32 (or better) arithmetic. */
    abstract Backend newBackend();

    static List<String> variants() {
        return TinyModel.VARIANTS;
    }

    @ParameterizedTest
    @MethodSource("variants")
    void logitsEqualTransformersInOneStep(String variant) {
        assertLogits(variant, MAX_TOKENS);
    }

    @ParameterizedTest
    @MethodSource("variants")
    void logitsEqualTransformersInChunks(String variant) {
        assertLogits(variant, CHUNK_LEN);
    }

    @ParameterizedTest
    @MethodSource("variants")
    void logitsEqualTransformersTokenByToken(String variant) {
        assertLogits(variant, 1);
    }

    @Test
    void wantedTokensHaveTheSameLogitsAsAmongAll() {
        int[] ids = TinyModel.sequences()[2];
        try (ModelFiles files = ModelFiles.open(TinyModel.gguf(TinyModel.F32, folder));
                Backend backend = newBackend()) {
            SequenceRunner all = runner(files, backend, MAX_TOKENS);
            SequenceRunner last = runner(files, backend, CHUNK_LEN);
            float[] wanted = new float[TinyModel.VOCAB_SIZE];
            last.appendForLast(ids, wanted);
            assertThat(wanted).containsExactly(all.append(ids, CHUNK_LEN)[ids.length - 1]);
        }
    }

    private void assertLogits(String variant, int chunkLen) {
        float[][] expected = TinyModel.logits(variant);
        try (ModelFiles files = ModelFiles.open(TinyModel.gguf(variant, folder));
                Backend backend = newBackend()) {
            SequenceRunner runner = runner(files, backend, MAX_TOKENS);
            int position = 0;
            float worst = 0;
            for (int[] ids : TinyModel.sequences()) {
                runner.restart();
                for (float[] logits : runner.append(ids, chunkLen)) {
                    worst = Math.max(worst, maxDifference(logits, expected[position++]));
                }
            }
            assertThat(position).isEqualTo(expected.length);
            System.out.printf(
                    "%s %s, steps of %d: max difference %.2g%n", getClass().getSimpleName(), variant, chunkLen, worst);
            assertThat(worst).as(variant).isLessThanOrEqualTo(MAX_DIFFERENCE);
        }
    }

    private static SequenceRunner runner(ModelFiles files, Backend backend, int maxTokens) {
        Model model = Models.load(files, backend, maxTokens, maxTokens);
        return new SequenceRunner(model, backend, maxTokens, MAX_TOKENS, KvLayout.ElementType.FLOAT32);
    }

    private static float maxDifference(float[] a, float[] b) {
        float worst = 0;
        for (int i = 0; i < a.length; i++) {
            float difference = Math.abs(a[i] - b[i]);
            // written so that a NaN is the worst of all
            worst = difference <= worst ? worst : difference;
        }
        return worst;
    }
}
