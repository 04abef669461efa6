package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.NormedPair;
import io.radixflow.backend.Tensor;
import io.radixflow.backend.Weight;
import io.radixflow.testkit.RandomTensors;
import io.radixflow.weights.TensorType;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products of a few rows, whose kernels start before the ones ahead have ended: what they don't wait for would show now and then only. */
@Tag("gpu")
class FewRowsGpuTest {

    private static final float EPS = 1e-6f;
    private static final int REPEATS = GpuModel.IS_TRIMMED ? 2 : 200;

    @ParameterizedTest
    @CsvSource({
        "1, 2048, 1024, 6144",
        "8, 2048, 1024, 6144",
        "1, 4096, 4096, 12288",
        "4, 4096, 4096, 12288",
        "8, 4096, 4096, 12288",
        "64, 4096, 4096, 6144",
    })
    void aPairGivesTheSameBitsEachTime(int rows, int inner, int hidden, int outputs) {
        try (CudaBackend backend =
                new CudaBackend(new CudaBackend.Settings(0, 0.9, GpuModel.LIBRARY, 64, 16, 0, true, false))) {
            Weight first = backend.upload(List.of(RandomTensors.weights(TensorType.BF16, hidden, inner, 5)));
            Weight second = backend.upload(List.of(RandomTensors.weights(TensorType.BF16, outputs, hidden, 6)));
            Tensor norm = backend.upload(RandomTensors.activations(hidden, 3), 1, hidden);
            NormedPair pair = new NormedPair(first, norm, EPS, second);
            float[] before = RandomTensors.activations(rows * hidden, 2);
            Tensor x = GpuTensors.activations(backend, RandomTensors.activations(rows * inner, 1), rows, inner);
            Tensor delta = backend.allocate(rows, hidden);
            Tensor normed = backend.allocate(rows, hidden);
            float[] residuals = new float[rows * hidden];
            float[] outs = new float[rows * outputs];
            float[] expectedResiduals = new float[rows * hidden];
            float[] expectedOuts = new float[rows * outputs];
            for (int i = 0; i <= REPEATS; i++) {
                Tensor residual = GpuTensors.activations(backend, before, rows, hidden);
                Tensor out = GpuTensors.activations(backend, RandomTensors.poison(rows * outputs), rows, outputs);
                backend.linearPair(pair, x, rows, residual, delta, normed, out);
                backend.read(residual, 0, rows, i == 0 ? expectedResiduals : residuals);
                backend.read(out, 0, rows, i == 0 ? expectedOuts : outs);
                if (i > 0) {
                    assertThat(residuals).as("residual, time %d", i).isEqualTo(expectedResiduals);
                    assertThat(outs)
                            .as("out, time %d", i)
                            .isEqualTo(expectedOuts)
                            .doesNotContain(Float.NaN);
                }
            }
        }
    }
}
