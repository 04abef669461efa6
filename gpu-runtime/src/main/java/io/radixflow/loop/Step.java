package io.radixflow.loop;

import io.radixflow.backend.ScoredTokens;
import io.radixflow.schedule.StepPlan;
import org.jspecify.annotations.Nullable;

/** A step from its enqueuing until its tokens are booked, with the places of its results. Reused; owned by the engine thread. */
final class Step {

    /** Where its tokens go; entry i belongs to entry i of the sampling columns. */
    final ScoredTokens sampled;
    /** Prompt tokens that it scores; entry i belongs to logits row {@code numSampled + i}. */
    final ScoredTokens scoredPrompt;
    /** [maxSequences] prompt tokens scored of each sequence of the plan. */
    final int[] numScored;

    /** Whether the next step can't be enqueued before this one's tokens are known. */
    boolean isNeededByNext;

    private @Nullable StepPlan plan;

    Step(int maxTokens, int maxSequences) {
        sampled = new ScoredTokens(maxSequences);
        scoredPrompt = new ScoredTokens(maxTokens);
        numScored = new int[maxSequences];
    }

    void begin(StepPlan ofStep) {
        plan = ofStep;
        isNeededByNext = false;
    }

    StepPlan plan() {
        if (plan == null) {
            throw new IllegalStateException("the step has not begun");
        }
        return plan;
    }
}
