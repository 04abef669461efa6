package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What many lives of an operator leave behind: nothing. Its engines are real ones on the simulated device, with 8 MB of KV slots each. */
@Timeout(120)
class EngineLeakTest {

    private static final int NUM_LIVES = 120;
    private static final int NUM_WARM_UP = 20;
    private static final long ENGINE_BYTES = 8 << 20;
    private static final int NUM_ENDS = 4;
    private static final int NUM_COLLECTIONS = 10;
    /** Cleaners and finalizers run on threads of their own after a collection; what they let go is seen by the next. */
    private static final int CLEANING_MILLIS = 100;

    private static final PipelineOptions OPTIONS =
            PipelineOptions.defaults().withAdmission(new AdmissionLimits(Duration.ZERO, 1_000_000, 1_000_000));

    private final SimulatedEngines engines = SimulatedEngines.of(4, 100);

    /** Ends at the end of the input, in mid-flight, while its engine is rebuilt, or after that. */
    private void live(int end) throws Exception {
        try (OperatorHarness operator = new OperatorHarness(engines, OPTIONS, null)) {
            if (end >= 2) {
                SimulatedEngines.killAfter(3);
            }
            int numStarted = SimulatedEngines.numStarted();
            for (int i = 0; i < 6; i++) {
                PreparedRequest request = Prompts.streamed(i, "prompt " + i, Prompts.exactly(end == 0 ? 20 : 900));
                operator.process(request);
            }
            if (end == 0) {
                operator.flink().endInput();
                assertThat(operator.completions()).hasSize(6);
            } else {
                // Not before the failure has reached the operator: until then its close reports it.
                while (SimulatedEngines.numStarted() == numStarted
                        && (end == 3 || (end == 2 && !threads().contains("radixflow-engine-replacement")))) {
                    OperatorHarness.runMails(operator.flink().getTaskMailbox());
                }
                OperatorHarness.runMails(operator.flink().getTaskMailbox());
            }
        }
    }

    private static List<String> threads() {
        List<String> names = new ArrayList<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith("radixflow-")) {
                names.add(thread.getName());
            }
        }
        return names;
    }

    /** After collections; threads that were told to end may need a moment, and until then hold the engine they belong to. */
    private static long heapBytes() throws InterruptedException {
        while (!threads().isEmpty()) {
            Thread.onSpinWait();
        }
        long least = Long.MAX_VALUE;
        for (int i = 0; i < NUM_COLLECTIONS; i++) {
            System.gc();
            Thread.sleep(CLEANING_MILLIS);
            least = Math.min(
                    least,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least;
    }

    /** Linux tells a process its open files; elsewhere there is nothing to see. */
    private static int numOpenFiles() {
        String[] open = new File("/proc/self/fd").list();
        return open == null ? 0 : open.length;
    }

    @Test
    void livesOfTheOperatorLeaveNoThreadNoFileAndNoMemory() throws Exception {
        for (int i = 0; i < NUM_WARM_UP; i++) {
            live(i % NUM_ENDS);
        }
        long heapBefore = heapBytes();
        int filesBefore = numOpenFiles();
        for (int i = 0; i < NUM_LIVES; i++) {
            live(i % NUM_ENDS);
        }
        assertThat(heapBytes() - heapBefore)
                .as("bytes left by " + NUM_LIVES + " lives")
                .isLessThan(3 * ENGINE_BYTES);
        assertThat(numOpenFiles() - filesBefore).as("files left open").isLessThan(5);
    }
}
