package io.radixflow.schedule;

import io.radixflow.engine.FinishReason;
import io.radixflow.testkit.ManualClock;
import java.util.ArrayList;
import java.util.List;

/** Drives a scheduler step by step without a model: each sequence gets tokens until it has as many as it may. */
final class SchedulerRun {

    final SchedulerConfig config;
    final ManualClock clock = new ManualClock();
    final Scheduler scheduler;
    /** Sequences in the order of their first token. */
    final List<Sequence> started = new ArrayList<>();
    /** Ended by the scheduler itself. */
    final List<Sequence> aborted = new ArrayList<>();

    int numEnded;
    int numSteps;

    SchedulerRun(SchedulerConfig config) {
        this.config = config;
        scheduler = new Scheduler(config, clock, this::onEnd);
    }

    private void onEnd(Sequence sequence, FinishReason reason) {
        aborted.add(sequence);
        numEnded++;
    }

    /** Plans, commits, and ends what is done; the plan is valid until the next step. */
    StepPlan step() {
        StepPlan plan = scheduler.plan();
        int[] sampledIds = new int[config.maxRunning()];
        scheduler.advance(plan);
        scheduler.commit(plan, sampledIds);
        for (int place = 0; place < plan.numSequences(); place++) {
            Sequence sequence = plan.sequence(place);
            if (plan.isSampled(place)) {
                if (sequence.outputLen() == 1) {
                    started.add(sequence);
                }
                if (sequence.remainingLen(config.contextLen()) <= 0) {
                    scheduler.end(sequence);
                    numEnded++;
                }
            }
        }
        numSteps++;
        return plan;
    }

    /** Steps until nothing is left to do. */
    void drain() {
        while (step().numSequences() > 0) {
            if (numSteps > 10_000_000) {
                throw new AssertionError("no end in sight");
            }
        }
    }
}
