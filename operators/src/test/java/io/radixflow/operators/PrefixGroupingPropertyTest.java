package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.jspecify.annotations.Nullable;

/** Random records, restarts and rescales: nothing is lost or doubled, and each full window leaves sorted. */
class PrefixGroupingPropertyTest {

    private static final int MAX_PARALLELISM = 4;
    private static final int WINDOW = 8;
    private static final PipelineOptions OPTIONS =
            PipelineOptions.defaults().withPrefixWindow(WINDOW, Duration.ofMillis(20));

    @Property(tries = 60)
    void letsEachFullWindowOutSorted(
            @ForAll @Size(min = WINDOW, max = 80) List<@IntRange(min = 1, max = 400) Integer> prompts)
            throws Exception {
        List<Long> left;
        try (Grouping opened = open(1, 0, null)) {
            var grouping = opened.harness;
            for (int i = 0; i < prompts.size(); i++) {
                process(grouping, i, prompts.get(i));
            }
            grouping.endInput();
            left = offsets(grouping);
            List<RoutedRequest> all = grouping.extractOutputValues();
            for (int i = 1; i < all.size(); i++) {
                if (i % WINDOW != 0) {
                    assertThat(PrefixGrouping.RADIX_ORDER.compare(
                                    all.get(i - 1).request(), all.get(i).request()))
                            .isLessThanOrEqualTo(0);
                }
            }
        }
        assertThat(left).hasSameSizeAs(prompts).doesNotHaveDuplicates();
    }

    @Property(tries = 40)
    void losesAndDoublesNothingOverRestartsAndRescales(
            @ForAll @Size(min = 1, max = 60) List<@IntRange(min = 1, max = 400) Integer> prompts,
            @ForAll @IntRange(min = 0, max = 60) int numBefore,
            @ForAll @IntRange(min = 1, max = 3) int newParallelism)
            throws Exception {
        int split = Math.min(numBefore, prompts.size());
        List<Long> left = new ArrayList<>();
        OperatorSubtaskState state;
        try (Grouping opened = open(1, 0, null)) {
            var grouping = opened.harness;
            for (int i = 0; i < split; i++) {
                process(grouping, i, prompts.get(i));
            }
            state = grouping.snapshot(1, 1);
            left.addAll(offsets(grouping));
        }
        for (int subtask = 0; subtask < newParallelism; subtask++) {
            OperatorSubtaskState part = AbstractStreamOperatorTestHarness.repartitionOperatorState(
                    state, MAX_PARALLELISM, 1, newParallelism, subtask);
            try (Grouping opened = open(newParallelism, subtask, part)) {
                var grouping = opened.harness;
                for (int i = split + subtask; i < prompts.size(); i += newParallelism) {
                    process(grouping, i, prompts.get(i));
                }
                grouping.endInput();
                left.addAll(offsets(grouping));
            }
        }
        assertThat(left).hasSameSizeAs(prompts).doesNotHaveDuplicates();
    }

    /** Closes without Flink's checked exceptions. */
    private record Grouping(OneInputStreamOperatorTestHarness<PreparedRequest, RoutedRequest> harness)
            implements AutoCloseable {

        @Override
        public void close() {
            try {
                harness.close();
            } catch (Exception e) {
                throw new IllegalStateException("the operator did not close", e);
            }
        }
    }

    private static Grouping open(int parallelism, int subtask, @Nullable OperatorSubtaskState state) throws Exception {
        OneInputStreamOperatorTestHarness<PreparedRequest, RoutedRequest> harness =
                new OneInputStreamOperatorTestHarness<>(
                        new PrefixGroupingFactory(OPTIONS), MAX_PARALLELISM, parallelism, subtask);
        harness.setup(new RoutedRequestSerializer());
        if (state != null) {
            harness.initializeState(state);
        }
        harness.open();
        return new Grouping(harness);
    }

    private static void process(
            OneInputStreamOperatorTestHarness<PreparedRequest, RoutedRequest> grouping, int offset, int prompt)
            throws Exception {
        grouping.processElement(Prompts.prepared(offset, Integer.toString(prompt, 3), Prompts.exactly(1)), offset);
    }

    private static List<Long> offsets(OneInputStreamOperatorTestHarness<PreparedRequest, RoutedRequest> grouping) {
        List<Long> offsets = new ArrayList<>();
        for (RoutedRequest routed : grouping.extractOutputValues()) {
            offsets.add(routed.request().source().offset());
        }
        return offsets;
    }
}
