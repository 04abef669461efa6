package io.radixflow.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.Backend;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.cpu.CpuBackend;
import io.radixflow.testkit.SequenceRunner;
import io.radixflow.testkit.TrainedDecoder;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Models that have learned something, in the CPU's fp32 arithmetic, against transformers' on the same bf16 weights. */
class TrainedDecoderTest {

    /** Rounding of two orders of fp32 sums; the logits have a standard deviation of 4.7 to 4.9. */
    private static final float MAX_DIFFERENCE = 1e-4f;

    static final Iterable<String> ARCHITECTURES = TrainedDecoder.ARCHITECTURES;

    @TempDir
    Path folder;

    @ParameterizedTest
    @FieldSource("ARCHITECTURES")
    void likeliestTokensAndLogitsAreTransformers(String architecture) {
        int[][] sequences = TrainedDecoder.sequences();
        int[][] likeliest = TrainedDecoder.likeliest(architecture);
        float[][] golden = TrainedDecoder.logits(architecture);
        int numSame = 0;
        int numKept = 0;
        float worst = 0;
        int len = TrainedDecoder.LEN;
        try (ModelFiles files = ModelFiles.open(TrainedDecoder.write(architecture, folder));
                Backend backend = new CpuBackend(2, 64L << 20)) {
            Model model = Models.load(files, backend, len, len);
            SequenceRunner runner = new SequenceRunner(model, backend, len, len, ElementType.FLOAT32);
            for (int i = 0; i < sequences.length; i++) {
                runner.restart();
                float[][] logits = runner.append(sequences[i], len);
                for (int position = 0; position < len; position++) {
                    numSame += Agreement.argmax(logits[position]) == likeliest[i][position] ? 1 : 0;
                    if (TrainedDecoder.hasLogits(position)) {
                        worst = worse(worst, logits[position], golden[numKept++]);
                    }
                }
            }
        }
        int numPositions = sequences.length * len;
        System.out.printf(
                "trained %s: same likeliest token at %d of %d, largest difference of a logit %.2g in %d rows%n",
                architecture, numSame, numPositions, worst, numKept);
        assertThat(numPositions).isGreaterThanOrEqualTo(2000);
        assertThat(numSame).isEqualTo(numPositions);
        assertThat(numKept).isEqualTo(golden.length);
        assertThat(worst).isLessThanOrEqualTo(MAX_DIFFERENCE);
    }

    private static float worse(float worst, float[] logits, float[] expected) {
        for (int i = 0; i < expected.length; i++) {
            float difference = Math.abs(logits[i] - expected[i]);
            // written so that a NaN is the worst of all
            worst = difference <= worst ? worst : difference;
        }
        return worst;
    }
}
