package io.radixflow.backend.cuda;

import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.nio.IntBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Draws and scores tokens on the device, where they stay for the next step; the host reads them once their step is done. Every step searches
 * each row's largest logit, which a captured step ends with; entries that need more are drawn after it.
 *
 * <p>An entry with rules changes its row in place, or, if the row is to be scored as well, a copy of it in a few rows of scratch.
 */
final class CudaSampler {

    private static final int THREADS = 1024;
    /** Thread blocks of {@code apply_rules}, each of which counts tokens in a row of its own. */
    private static final int RULE_BLOCKS = 32;

    private static final int SCRATCH_ROWS = 16;
    /** Most parts of a row that are looked through at once for its largest logit. */
    private static final int MAX_SPLITS = 32;

    private static final int MAX_VOCAB_SIZE = 1 << 18;
    /** {@code kBroken} of {@code draw.cu}. */
    private static final int BROKEN = -2;

    /** What an entry needs, in the order in which they are drawn. */
    private enum Kind {
        RULES_ON_COPY,
        RULES,
        DRAW,
        LARGEST
    }

    private static final Kind[] DRAWN_APART = {Kind.RULES_ON_COPY, Kind.RULES, Kind.DRAW};

    private final CudaStream stream;
    private final CudaDevice device;
    private final Kernel argmax;
    private final Kernel applyRules;
    private final Kernel draw;
    private final int vocabSize;
    private final DrawColumns columns;
    private final CudaScorer scorer;
    private final StagedInts drawn;
    private final DevicePointer largestOfSplits;
    private final DevicePointer splitsDone;
    private final DevicePointer scratch;
    private final DevicePointer counts;
    private final @Nullable ScoredTokens[] taken = new ScoredTokens[CudaSteps.MAX_IN_FLIGHT];
    private final int[] numTaken = new int[CudaSteps.MAX_IN_FLIGHT];
    private final boolean[][] mayLeaveNone;
    private int turn;

    /**
     * @param maxEntries most tokens drawn in a step
     * @param maxTokens most tokens of a step, which may all be scored
     */
    CudaSampler(CudaDevice device, Kernels kernels, int maxEntries, int maxTokens, int vocabSize) {
        if (vocabSize > MAX_VOCAB_SIZE) {
            throw new EngineException(
                    Category.CONFIGURATION,
                    "a vocabulary of " + vocabSize + " tokens; --device cuda draws from at most " + MAX_VOCAB_SIZE);
        }
        this.device = device;
        this.vocabSize = vocabSize;
        stream = device.stream();
        argmax = kernels.waitingKernel("argmax", "argmax_f32", 5);
        applyRules = kernels.kernel("draw", "apply_rules_f32", 11);
        draw = kernels.kernel("draw", "draw_f32", 5);
        columns = new DrawColumns(device, maxEntries, vocabSize);
        scorer = new CudaScorer(device, kernels, maxEntries + maxTokens);
        drawn = new StagedInts(device, maxEntries, "drawn tokens");
        largestOfSplits =
                device.allocate((Float.BYTES + Integer.BYTES) * (long) maxEntries * MAX_SPLITS, "largest logits");
        splitsDone = device.allocate(Integer.BYTES * (long) maxEntries, "largest logits");
        scratch = device.allocate(Float.BYTES * (long) SCRATCH_ROWS * vocabSize, "rows of logits");
        counts = device.allocate(Integer.BYTES * (long) RULE_BLOCKS * vocabSize, "counts of tokens");
        mayLeaveNone = new boolean[CudaSteps.MAX_IN_FLIGHT][maxEntries];
    }

    /** What the last step drew, by entry; the next one reads it there. */
    DevicePointer drawn() {
        return drawn.memory();
    }

    /** Begins a step; the last one of the turn has been finished. */
    void begin(int turn) {
        this.turn = turn;
        scorer.begin(turn);
    }

    /** Enqueues the search for each row's largest logit. */
    void enqueueLargest(CudaTensor logits, int rows) {
        int numSplits = Math.max(1, Math.min(MAX_SPLITS, device.numMultiprocessors() / rows));
        argmax.with(logits.memory())
                .and(logits.cols())
                .and(drawn.memory())
                .and(largestOfSplits)
                .and(splitsDone)
                .launch(stream, numSplits, rows, 1, THREADS, 0);
    }

    /**
     * Enqueues the draws of the entries that need more than their largest logit, the scores, and the copies to the host.
     *
     * @param steps whose tables hold the sequences' tokens
     */
    void take(CudaTensor logits, SamplingBatch batch, ScoredTokens into, @Nullable CudaSteps steps) {
        columns.begin(turn);
        for (Kind kind : DRAWN_APART) {
            for (int entry = 0; entry < batch.numEntries; entry++) {
                if (kindOf(batch, into, entry) == kind) {
                    add(logits, batch, entry, kind, steps);
                }
            }
            flush(logits, kind, steps);
        }
        for (int entry = 0; entry < batch.numEntries; entry++) {
            mayLeaveNone[turn][entry] = batch.numBanned[entry] > 0
                    || batch.allowedIds[entry].length > 0
                    || batch.allowedBits[entry] != null;
            if (into.numAlternatives[entry] != ScoredTokens.NO_LOGPROBS) {
                scorer.addDrawn(entry, into);
            }
        }
        scorer.enqueueDrawn(logits, drawn.memory());
        drawn.download(turn, 0, batch.numEntries);
        taken[turn] = into;
        numTaken[turn] = batch.numEntries;
    }

    private void add(CudaTensor logits, SamplingBatch batch, int entry, Kind kind, @Nullable CudaSteps steps) {
        boolean isCopied = kind == Kind.RULES_ON_COPY;
        if (isCopied && columns.numInGroup() == SCRATCH_ROWS) {
            flush(logits, kind, steps);
        }
        if (!columns.hasRoom(batch, entry)) {
            flush(logits, kind, steps);
            device.synchronize(); // the lists are read until then
            columns.begin(turn);
        }
        columns.add(batch, entry, isCopied ? columns.numInGroup() : DrawColumns.NO_SCRATCH);
    }

    private void flush(CudaTensor logits, Kind kind, @Nullable CudaSteps steps) {
        int num = columns.numInGroup();
        if (num == 0) {
            return;
        }
        DevicePointer entries = columns.upload();
        if (kind != Kind.DRAW) {
            applyRules
                    .with(logits.memory())
                    .and(scratch)
                    .and(vocabSize)
                    .and(entries)
                    .and(num)
                    .and(columns.lists())
                    .and(steps == null ? 0 : steps.slots().history().address())
                    .and(steps == null ? 0 : steps.slots().stride())
                    .and(
                            steps == null
                                    ? 0
                                    : steps.columns()
                                            .token(StepColumns.TOKEN_ROW)
                                            .address())
                    .and(
                            steps == null
                                    ? 0
                                    : steps.columns()
                                            .token(StepColumns.LOGIT_TOKEN)
                                            .address())
                    .and(counts)
                    .launch(stream, Math.min(num, RULE_BLOCKS), 1, 1, THREADS, 0);
        }
        draw.with(logits.memory())
                .and(scratch)
                .and(vocabSize)
                .and(entries)
                .and(drawn.memory())
                .launch(stream, num, 1, 1, THREADS, 0);
    }

    private static Kind kindOf(SamplingBatch batch, ScoredTokens into, int entry) {
        boolean hasRules = batch.repetitionPenalty[entry] != 1
                || batch.presencePenalty[entry] != 0
                || batch.frequencyPenalty[entry] != 0
                || batch.biasIds[entry].length > 0
                || batch.allowedIds[entry].length > 0
                || batch.allowedBits[entry] != null
                || batch.numBanned[entry] > 0;
        if (hasRules) {
            return into.numAlternatives[entry] == ScoredTokens.NO_LOGPROBS ? Kind.RULES : Kind.RULES_ON_COPY;
        }
        return batch.temperature[entry] == 0 || batch.topK[entry] == 1 ? Kind.LARGEST : Kind.DRAW;
    }

    /** Scores given tokens; see {@code Backend.score}. */
    void score(CudaTensor logits, int rows, ScoredTokens given, int firstEntry) {
        for (int i = 0; i < rows; i++) {
            scorer.addGiven(i, given, firstEntry + i);
        }
        scorer.enqueueGiven(logits);
    }

    /**
     * Hands out the tokens and scores of a turn whose step is done.
     *
     * @throws EngineException of category INVARIANT if a row's logits aren't numbers
     */
    void finish(int ofTurn) {
        ScoredTokens into = taken[ofTurn];
        taken[ofTurn] = null;
        if (into != null) {
            IntBuffer tokens = drawn.ints(ofTurn);
            for (int entry = 0; entry < numTaken[ofTurn]; entry++) {
                int token = tokens.get(entry);
                if (token == BROKEN || (token < 0 && !mayLeaveNone[ofTurn][entry])) {
                    throw new EngineException(
                            Category.INVARIANT,
                            "a logit is NaN or infinite, or none is finite, in batch entry " + entry);
                }
                into.tokenId[entry] = token;
            }
        }
        scorer.finish(ofTurn);
    }

    /** As {@link #finish}, of all turns; the device is done. */
    void finishAll() {
        for (int each = 0; each < CudaSteps.MAX_IN_FLIGHT; each++) {
            finish(each);
        }
    }
}
