package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.StepOutput;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.schedule.SchedulerConfig.Policy;
import io.radixflow.testkit.FakeParts;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StepAllocationTest {

    private static final int NUM_SEQUENCES = 16;
    private static final int WARM_UP_STEPS = 4_000;
    private static final int STEPS = 1_000;
    private static final int MAX_WINDOWS = 3;
    /** Of which the fake vocabulary has all texts: {@code <12> <3> ...}. */
    private static final GrammarSpec GRAMMAR = GrammarSpec.of(GrammarSpec.Kind.REGEX, "(<[0-9]+> )*never");

    private static final int[] ALLOWED = IntStream.range(0, 500).toArray();

    @Test
    void aDecodeStepAllocatesNothing() {
        SchedulerConfig config =
                new SchedulerConfig(1_000_000, 8192, NUM_SEQUENCES, 512, 16_384, Policy.LPM, 1.0, true, 0);
        LoopFixture engine = new LoopFixture(FakeParts.of(config));
        Session session = engine.open(new GenerationListener() {
            @Override
            public void onStep(StepOutput output) {
                output.release();
            }

            @Override
            public void onFailure(EngineException cause, long[] inStep) {
                throw cause;
            }
        });
        for (int id = 0; id < NUM_SEQUENCES; id++) {
            int[] prompt = new int[40];
            Arrays.fill(prompt, 1 + id % 4);
            session.submit(new GenerationRequest(
                    id,
                    prompt,
                    SamplingParams.builder()
                            .temperature(id % 2)
                            .ignoreEos(true)
                            .stop(List.of("never this"))
                            .frequencyPenalty(id % 3 == 0 ? 0.5f : 0)
                            .repetitionPenalty(id % 3 == 1 ? 1.1f : 1)
                            .logprobs(id % 4 == 0 ? SamplingParams.NO_LOGPROBS : 5 * (id % 4))
                            .logitBias(new int[] {5, 6}, new float[] {1, -1})
                            .badWords(List.of(new int[] {7}, new int[] {8, 9}))
                            .allowedTokenIds(id % 5 == 0 ? ALLOWED : new int[0])
                            .grammar(id % 5 == 1 ? GRAMMAR : null)
                            .maxTokens(8000)
                            .build()));
        }
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int step = 0; step < WARM_UP_STEPS; step++) {
            engine.loop.doWork();
        }
        assertThat(engine.loop.scheduler().numRunning()).isEqualTo(NUM_SEQUENCES);
        // Code that is deoptimised while it runs may put an object that it had in registers on the heap, once. What a
        // step itself
        // allocates shows in every window.
        long allocated = Long.MAX_VALUE;
        for (int window = 0; window < MAX_WINDOWS && allocated > 0; window++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int step = 0; step < STEPS; step++) {
                engine.loop.doWork();
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - before;
        }
        assertThat(engine.loop.scheduler().numRunning()).isEqualTo(NUM_SEQUENCES);
        assertThat(allocated).as("bytes allocated in %d decode steps", STEPS).isZero();
    }
}
