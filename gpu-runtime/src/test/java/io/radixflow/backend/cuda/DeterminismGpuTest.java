package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code --enable-deterministic-inference}: tokens and log-probabilities are a function of the request, to the last bit. */
@Tag("gpu")
final class DeterminismGpuTest {

    private static final String DETERMINISTIC = "enable-deterministic-inference=true ";

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"64,8,2", "128,16,8", "64,7,1"})
    void oneOutputWhatever(int headDim, int numHeads, int numKvHeads) {
        Path file = GpuModel.write(folder, headDim, numHeads, numKvHeads, 3);
        List<String> alone = GpuModel.run(file, DETERMINISTIC + "max-running-requests=1 disable-radix-cache=true");
        for (String options : List.of(
                "",
                "chunked-prefill-size=100",
                "chunked-prefill-size=37 max-running-requests=9",
                "page-size=16",
                "disable-radix-cache=true",
                "disable-cuda-graph=true",
                "disable-overlap-schedule=true",
                "schedule-policy=fcfs max-total-tokens=1500 schedule-conservativeness=0.01")) {
            assertThat(GpuModel.run(file, DETERMINISTIC + options)).as(options).isEqualTo(alone);
        }
    }
}
