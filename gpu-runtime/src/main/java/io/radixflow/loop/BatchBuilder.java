package io.radixflow.loop;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.SegmentCosts;
import io.radixflow.backend.SegmentPlanner;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.TokenRules;
import io.radixflow.schedule.RowTable;
import io.radixflow.schedule.StepPlan;

/** Turns a step's plan into the columns that model and sampler read. Owned by the engine thread; allocates nothing after construction. */
final class BatchBuilder {

    private final ForwardBatch forward;
    private final SamplingBatch sampling;
    /** In turns. */
    private final Step[] steps;

    private int nextStep;
    private final SegmentPlanner segments;

    /** @param maxStepsInFlight steps whose results aren't booked */
    BatchBuilder(int maxTokens, int maxSequences, RowTable rows, int maxStepsInFlight, SegmentCosts costs) {
        forward = new ForwardBatch(maxTokens, maxSequences, rows.slots(), rows.stride(), rows.versions());
        sampling = new SamplingBatch(maxSequences);
        steps = new Step[maxStepsInFlight];
        for (int i = 0; i < maxStepsInFlight; i++) {
            steps[i] = new Step(maxTokens, maxSequences);
        }
        segments = new SegmentPlanner(maxSequences, rows.versions().length, costs);
    }

    ForwardBatch forward() {
        return forward;
    }

    SamplingBatch sampling() {
        return sampling;
    }

    /**
     * Fills all columns but the masks, and returns the step with places for its results; the last one but so many as may be in flight is booked.
     */
    Step fill(StepPlan plan) {
        Step step = steps[nextStep];
        nextStep = (nextStep + 1) % steps.length;
        step.begin(plan);
        forward.numTokens = 0;
        forward.numSampled = 0;
        forward.numSequences = plan.numSequences();
        for (int place = 0; place < plan.numSequences(); place++) {
            Answer answer = (Answer) plan.sequence(place);
            addTokens(answer, place, plan.chunkLen(place));
            if (plan.isSampled(place)) {
                forward.logitToken[forward.numSampled] = forward.numTokens - 1;
                addSampling(answer, forward.numSampled++, step);
            }
        }
        sampling.numEntries = forward.numSampled;
        forward.numLogits = forward.numSampled;
        for (int place = plan.numDecode(); place < plan.numSequences(); place++) {
            addPrompt((Answer) plan.sequence(place), place, plan.chunkLen(place), step);
        }
        segments.plan(forward);
        return step;
    }

    /** Fills in what the grammars allow; the last column, so that masks are built while the device is at work on the step. */
    void fillMasks(StepPlan plan) {
        int entry = 0;
        for (int place = 0; place < plan.numSequences(); place++) {
            if (plan.isSampled(place)) {
                sampling.allowedBits[entry++] = ((Answer) plan.sequence(place)).allowedBits();
            }
        }
    }

    private void addTokens(Answer answer, int place, int chunkLen) {
        int first = forward.numTokens;
        int cachedLen = answer.kvLen();
        forward.row[place] = answer.row();
        forward.firstToken[place] = first;
        forward.cachedLen[place] = cachedLen;
        forward.extendLen[place] = chunkLen;
        forward.history[place] = answer.request().sampling().hasPenalties() ? answer.tokens() : null;
        System.arraycopy(answer.tokens(), cachedLen, forward.tokenId, first, chunkLen);
        if (cachedLen + chunkLen > answer.knownLen()) {
            forward.tokenId[first + chunkLen - 1] = -1 - answer.lastEntry; // the step under way draws it
        }
        int slots = answer.row() * forward.slotTableStride + cachedLen;
        System.arraycopy(forward.slotTable, slots, forward.kvSlot, first, chunkLen);
        for (int i = 0; i < chunkLen; i++) {
            forward.position[first + i] = cachedLen + i;
        }
        forward.numTokens = first + chunkLen;
    }

    /** A prompt token is scored by the logits of the one before it. */
    private void addPrompt(Answer answer, int place, int chunkLen, Step step) {
        int numScored = answer.numScored(chunkLen);
        int position = answer.firstScored();
        for (int i = 0; i < numScored; i++) {
            int entry = forward.numLogits - forward.numSampled;
            step.scoredPrompt.tokenId[entry] = answer.tokens()[position + i];
            step.scoredPrompt.numAlternatives[entry] = answer.request().promptLogprobs();
            forward.logitToken[forward.numLogits++] =
                    forward.firstToken[place] + position - 1 + i - forward.cachedLen[place];
        }
        step.numScored[place] = numScored;
        answer.advanceScored(numScored);
    }

    private void addSampling(Answer answer, int entry, Step step) {
        SamplingParams params = answer.request().sampling();
        sampling.temperature[entry] = params.isGreedy() ? 0 : params.temperature();
        sampling.topP[entry] = params.topP();
        sampling.topK[entry] = params.topK();
        sampling.minP[entry] = params.minP();
        sampling.presencePenalty[entry] = params.presencePenalty();
        sampling.frequencyPenalty[entry] = params.frequencyPenalty();
        sampling.repetitionPenalty[entry] = params.repetitionPenalty();
        sampling.seed[entry] = params.seed();
        sampling.position[entry] = answer.len();
        sampling.tokens[entry] = answer.tokens();
        sampling.promptLen[entry] = answer.promptLen();
        sampling.outputLen[entry] = answer.outputLen();
        TokenRules rules = params.rules();
        sampling.biasIds[entry] = rules.biasIds();
        sampling.biasValues[entry] = rules.biasValues();
        sampling.allowedIds[entry] = rules.allowedIds();
        sampling.numBanned[entry] = answer.findBanned();
        sampling.bannedIds[entry] = answer.bannedIds();
        step.sampled.numAlternatives[entry] = params.logprobs();
        step.isNeededByNext |= answer.needsLastTokens();
        answer.lastEntry = entry;
    }
}
