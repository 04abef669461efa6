package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PrefixGroupingTest {

    private static final PipelineOptions OPTIONS =
            PipelineOptions.defaults().withPrefixWindow(4, Duration.ofMillis(20));

    @Test
    void emitsAFullWindowInRadixOrder() throws Exception {
        try (Grouping grouping = new Grouping(OPTIONS, null)) {
            grouping.process("b", "ab", "a", "abc");
            assertThat(grouping.prompts()).isEmpty();
            grouping.runMails();

            assertThat(grouping.prompts()).containsExactly("a", "ab", "abc", "b");
        }
    }

    @Test
    void emitsOneRecordForEachThatComesInWhileAWindowLeaves() throws Exception {
        try (Grouping grouping = new Grouping(OPTIONS, null)) {
            grouping.process("d", "c", "b", "a");
            grouping.process("z", "y");
            assertThat(grouping.prompts()).containsExactly("a", "b");
            grouping.process("x", "w");
            assertThat(grouping.prompts()).containsExactly("a", "b", "c", "d");
            grouping.runMails();
            assertThat(grouping.prompts()).endsWith("w", "x", "y", "z");
        }
    }

    @Test
    void emitsAPartWindowWhenItsTimeIsUp() throws Exception {
        try (Grouping grouping = new Grouping(OPTIONS, null)) {
            grouping.process("b", "a");
            grouping.harness.setProcessingTime(19);
            grouping.runMails();
            assertThat(grouping.prompts()).isEmpty();
            grouping.harness.setProcessingTime(20);
            grouping.runMails();
            assertThat(grouping.prompts()).containsExactly("a", "b");
        }
    }

    @Test
    void emitsWhatIsLeftAtTheEndOfTheInput() throws Exception {
        try (Grouping grouping = new Grouping(OPTIONS, null)) {
            grouping.process("d", "c", "b", "a", "f", "e");
            grouping.harness.endInput();

            assertThat(grouping.prompts()).containsExactly("a", "b", "c", "d", "e", "f");
        }
    }

    @Test
    void keepsBothWindowsOverARestore() throws Exception {
        OperatorSubtaskState state;
        List<String> before;
        try (Grouping grouping = new Grouping(OPTIONS, null)) {
            grouping.process("d", "c", "b", "a", "f"); // "a" has left
            before = grouping.prompts();
            state = grouping.harness.snapshot(1, 1);
        }
        try (Grouping grouping = new Grouping(OPTIONS, state)) {
            grouping.harness.setProcessingTime(20);
            grouping.runMails();

            assertThat(before).containsExactly("a");
            assertThat(grouping.prompts()).containsExactly("b", "c", "d", "f");
        }
    }

    @Test
    void letsAWatermarkPassAfterTheRecordsBeforeIt() throws Exception {
        try (Grouping grouping = new Grouping(OPTIONS, null)) {
            grouping.harness.processWatermark(1);
            grouping.process("b");
            grouping.harness.processWatermark(2);
            grouping.process("a");
            assertThat(grouping.harness.getOutput()).containsExactly(new Watermark(1));
            grouping.harness.setProcessingTime(20);
            grouping.runMails();

            assertThat(new ArrayList<>(grouping.harness.getOutput())).last().isEqualTo(new Watermark(2));
            assertThat(grouping.prompts()).containsExactly("a", "b");
        }
    }

    @Test
    void goesIdleOnlyAfterTheWatermarkThatItHolds() throws Exception {
        try (Grouping grouping = new Grouping(OPTIONS, null)) {
            grouping.process("b");
            grouping.harness.processWatermark(2);
            grouping.harness.processWatermarkStatus(WatermarkStatus.IDLE);
            assertThat(grouping.harness.getOutput()).isEmpty();
            grouping.harness.setProcessingTime(20);
            grouping.runMails();

            assertThat(new ArrayList<>(grouping.harness.getOutput()))
                    .endsWith(new Watermark(2), WatermarkStatus.IDLE)
                    .hasSize(3);
        }
    }

    @Test
    void passesRecordsAtOnceWhenWindowsAreOff() throws Exception {
        try (Grouping grouping = new Grouping(OPTIONS.withPrefixWindow(1, Duration.ofMillis(20)), null)) {
            grouping.process("b", "a");
            assertThat(grouping.prompts()).containsExactly("b", "a");
        }
    }

    /** The operator in Flink's harness. */
    private static final class Grouping implements AutoCloseable {

        private final OneInputStreamOperatorTestHarness<PreparedRequest, RoutedRequest> harness;

        private Grouping(PipelineOptions options, @Nullable OperatorSubtaskState state) throws Exception {
            harness = new OneInputStreamOperatorTestHarness<>(new PrefixGroupingFactory(options));
            harness.setup(new RoutedRequestSerializer());
            if (state != null) {
                harness.initializeState(state);
            }
            harness.open();
        }

        private void process(String... prompts) throws Exception {
            for (String prompt : prompts) {
                PreparedRequest request = Prompts.prepared(0, prompt, Prompts.exactly(1));
                harness.processElement(request, request.source().timestamp());
            }
        }

        private void runMails() throws Exception {
            OperatorHarness.runMails(harness.getTaskMailbox());
        }

        private List<String> prompts() {
            List<String> prompts = new ArrayList<>();
            for (RoutedRequest routed : harness.extractOutputValues()) {
                StringBuilder prompt = new StringBuilder();
                for (int id : routed.request().promptIds()) {
                    prompt.append((char) id);
                }
                prompts.add(prompt.toString());
            }
            return prompts;
        }

        @Override
        public void close() {
            try {
                harness.close();
            } catch (Exception e) {
                throw new IllegalStateException("the operator did not close", e);
            }
        }
    }
}
