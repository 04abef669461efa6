package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.testkit.TinyModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Memory doesn't grow with the number of requests served: what an engine's process holds after many is what it held after a tenth of them,
 * within 3 %. The process has a heap of fixed size that is touched at its start, so that its anonymous memory shows what lies outside the
 * heap, and what lies inside shows by itself.
 */
class SoakTest {

    private static final double TOLERANCE = 0.03;
    private static final int MAX_POOL_TOKENS = 8192;
    /**
     * The simulated device serves thousands of requests in the first second, while the optimising compiler still takes and returns some
     * 15 MiB; without that compiler the process is settled by then.
     */
    private static final String SETTLED = "-XX:TieredStopAtLevel=1";

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    /** What a process held at one moment. */
    private record Memory(long heapBytes, long anonymousBytes) {}

    @Test
    void memoryIsTheSameAfterTenTimesTheRequests() throws Exception {
        assertFlat(soak("4000,40000", SETTLED, simulated()));
    }

    @Test
    @Tag("soak")
    void memoryIsTheSameAfter200000RequestsOnTheSimulatedDevice() throws Exception {
        assertFlat(soak("20000,200000", SETTLED, simulated()));
    }

    /** With real arithmetic, tokenizer and stream decoder. */
    @Test
    @Tag("soak")
    void memoryIsTheSameAfter200000RequestsOnTheProcessor() throws Exception {
        String model = TinyModel.gguf(TinyModel.F32, folder).toString();
        assertFlat(soak("20000,200000", "-XX:+TieredCompilation", List.of("model-path=" + model)));
    }

    private static List<String> simulated() {
        Path times = Path.of(System.getProperty("radixflow.models"))
                .resolveSibling("bench/time-models/h100-qwen3-0.6b.json");
        return List.of("device=simulated", "simulated-clock=virtual", "time-model=" + times);
    }

    private static void assertFlat(List<Memory> memory) {
        Memory early = memory.get(0);
        Memory late = memory.get(1);
        assertThat((double) late.heapBytes()).as("heap in use").isLessThan((1 + TOLERANCE) * early.heapBytes());
        assertThat((double) late.anonymousBytes())
                .as("anonymous memory")
                .isLessThan((1 + TOLERANCE) * early.anonymousBytes());
    }

    private static List<Memory> soak(String counts, String jvmOption, List<String> options)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms256m",
                "-Xmx256m",
                "-XX:+AlwaysPreTouch",
                "-XX:+UseSerialGC",
                jvmOption,
                "--add-modules=jdk.incubator.vector",
                "-cp",
                System.getProperty("java.class.path"),
                Soak.class.getName(),
                counts,
                "max-total-tokens=" + MAX_POOL_TOKENS,
                "context-length=256"));
        command.addAll(options);
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (InputStream out = process.getInputStream()) {
            String text = new String(out.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as("exit status; printed: %s", text).isZero();
            List<Memory> memory = new ArrayList<>();
            for (String line : text.strip().split("\n", -1)) {
                System.out.println("soak: requests, heap bytes, anonymous bytes: " + line);
                String[] numbers = line.split(" ", -1);
                memory.add(new Memory(Long.parseLong(numbers[1]), Long.parseLong(numbers[2])));
            }
            return memory;
        } finally {
            process.destroyForcibly();
        }
    }
}
