package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.Backend;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.cpu.CpuBackend;
import io.radixflow.model.Model;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.Models;
import io.radixflow.testkit.SequenceRunner;
import io.radixflow.testkit.TrainedDecoder;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models that have learned something say the same on the GPU, in bf16, as in the CPU's fp32 arithmetic on the same weights, each fed the same texts. */
@Tag("gpu")
final class TrainedDecoderGpuTest {

    // Twice what transformers' own bf16 arithmetic with fp32 logits is off by (golden/trained-decoders): it stores as
    // many activations in as few bits.
    /** Root mean square of the errors of logits, of that of the logits. */
    private static final double MAX_RELATIVE = 0.0065;
    /** Of any logit; they go from -18 to 14. */
    private static final double MAX_ERROR = 0.45;
    /** Most that the CPU's largest logit may lie above the CPU's own of the token that the GPU takes. */
    private static final double MAX_MARGIN = 0.1;

    private static final double MIN_SAME = 0.99;

    @TempDir
    Path folder;

    /** In whole texts (the chunks' kernels), in uneven pieces, and token by token (decode). */
    @ParameterizedTest
    @CsvSource({
        "llama,128", "llama,37", "llama,1",
        "qwen2,128", "qwen2,37", "qwen2,1",
        "qwen3,128", "qwen3,37", "qwen3,1"
    })
    void saysWhatTheCpuSays(String architecture, int chunkLen) {
        TrainedDecoder.write(architecture, folder);
        int[][] sequences = TrainedDecoder.sequences();
        float[][][] expected = logits(new CpuBackend(4, 64L << 20), ElementType.FLOAT32, sequences, TrainedDecoder.LEN);
        int len = TrainedDecoder.LEN;
        CudaBackend cuda =
                new CudaBackend(new CudaBackend.Settings(0, 0.5, GpuModel.LIBRARY, len, len, 0, true, false));
        float[][][] actual = logits(cuda, ElementType.BFLOAT16, sequences, chunkLen);
        double errors = 0;
        double squares = 0;
        double worst = 0;
        double margin = 0;
        int numSame = 0;
        int numPositions = 0;
        for (int i = 0; i < sequences.length; i++) {
            for (int position = 0; position < len; position++) {
                float[] cpu = expected[i][position];
                float[] gpu = actual[i][position];
                for (int c = 0; c < cpu.length; c++) {
                    double error = gpu[c] - cpu[c];
                    errors += error * error;
                    squares += (double) cpu[c] * cpu[c];
                    worst = Math.max(worst, Math.abs(error));
                }
                int top = top(cpu);
                int gpuTop = top(gpu);
                numPositions++;
                numSame += gpuTop == top ? 1 : 0;
                margin = Math.max(margin, cpu[top] - cpu[gpuTop]);
            }
        }
        double deviation = Math.sqrt(errors / numPositions / TrainedDecoder.VOCAB_SIZE);
        double relative = Math.sqrt(errors / squares);
        System.out.printf(
                "trained %s, chunks of %d: same likeliest token at %d of %d (%.2f %%), error of a logit: rms %.4f (%.2e of its rms), largest %.3f,"
                        + " widest margin of another token %.4f%n",
                architecture,
                chunkLen,
                numSame,
                numPositions,
                100.0 * numSame / numPositions,
                deviation,
                relative,
                worst,
                margin);
        assertThat(numPositions).isGreaterThanOrEqualTo(2000);
        assertThat(relative).isLessThan(MAX_RELATIVE); // false for NaN too
        assertThat((double) numSame / numPositions).isGreaterThanOrEqualTo(MIN_SAME);
        assertThat(worst).isLessThan(MAX_ERROR);
        assertThat(margin).as("margin where another token is likeliest").isLessThan(MAX_MARGIN);
    }

    private float[][][] logits(Backend backend, ElementType type, int[][] sequences, int chunkLen) {
        int len = TrainedDecoder.LEN;
        try (backend;
                ModelFiles files = ModelFiles.open(folder)) {
            Model model = Models.load(files, backend, len, len);
            SequenceRunner runner = new SequenceRunner(model, backend, len, len, type);
            float[][][] logits = new float[sequences.length][][];
            for (int i = 0; i < sequences.length; i++) {
                runner.restart();
                logits[i] = runner.append(sequences[i], chunkLen);
            }
            return logits;
        }
    }

    private static int top(float[] row) {
        int top = 0;
        for (int i = 1; i < row.length; i++) {
            top = row[i] > row[top] ? i : top;
        }
        return top;
    }
}
