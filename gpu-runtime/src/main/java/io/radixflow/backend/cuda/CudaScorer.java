package io.radixflow.backend.cuda;

import io.radixflow.backend.ScoredTokens;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.nio.IntBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Log-probabilities of drawn and of given tokens, made by {@code score.cu} and read once their step is done. A step may score in several
 * pieces. Allocates nothing per step.
 */
final class CudaScorer {

    private static final int THREADS = 1024;
    private static final int ENTRY_INTS = 4;
    /** {@code Score} there: state, log-probability, ids, log-probabilities. */
    private static final int SCORE_INTS = 2 + 2 * ScoredTokens.MAX_ALTERNATIVES;

    private final Kernel kernel;
    private final CudaStream stream;
    private final int maxScores;
    private final StagedInts entries; // [maxScores][ENTRY_INTS], then the given tokens [maxScores]
    private final StagedInts scores; // [maxScores][SCORE_INTS]
    private final Wanted[] wanted = new Wanted[CudaSteps.MAX_IN_FLIGHT];
    private int turn;

    /** Where the scores of one turn's step go. */
    private static final class Wanted {
        private final @Nullable ScoredTokens[] into;
        private final int[] entry;
        private int num;
        private int from;

        private Wanted(int maxScores) {
            into = new ScoredTokens[maxScores];
            entry = new int[maxScores];
        }
    }

    CudaScorer(CudaDevice device, Kernels kernels, int maxScores) {
        this.maxScores = maxScores;
        stream = device.stream();
        kernel = kernels.kernel("score", "score_f32", 5);
        entries = new StagedInts(device, maxScores * (ENTRY_INTS + 1), "tokens to score");
        scores = new StagedInts(device, maxScores * SCORE_INTS, "log-probabilities");
        for (int i = 0; i < wanted.length; i++) {
            wanted[i] = new Wanted(maxScores);
        }
    }

    /** Begins a step, whose turn's last one has been finished. */
    void begin(int turn) {
        this.turn = turn;
        wanted[turn].num = 0;
        wanted[turn].from = 0;
    }

    /** Adds the entry whose token will be drawn from {@code row} of the logits. */
    void addDrawn(int row, ScoredTokens into) {
        add(row, row, into, row);
    }

    /** Adds an entry whose token is known. */
    void addGiven(int row, ScoredTokens into, int entry) {
        int place = maxScores * ENTRY_INTS + wanted[turn].num;
        entries.ints(turn).put(place, into.tokenId[entry]);
        add(row, wanted[turn].num, into, entry);
    }

    private void add(int row, int token, ScoredTokens into, int entry) {
        Wanted all = wanted[turn];
        IntBuffer ints = entries.ints(turn);
        int at = all.num * ENTRY_INTS;
        ints.put(at, row);
        ints.put(at + 1, token);
        ints.put(at + 2, into.numAlternatives[entry]);
        all.into[all.num] = into;
        all.entry[all.num++] = entry;
    }

    void enqueueDrawn(CudaTensor logits, DevicePointer drawn) {
        enqueue(logits, drawn);
    }

    void enqueueGiven(CudaTensor logits) {
        int given = maxScores * ENTRY_INTS;
        entries.upload(turn, given + wanted[turn].from, given + wanted[turn].num);
        enqueue(logits, entries.at(given));
    }

    /** Scores what was added since the last time. */
    private void enqueue(CudaTensor logits, DevicePointer tokens) {
        Wanted all = wanted[turn];
        int num = all.num - all.from;
        if (num > 0) {
            entries.upload(turn, all.from * ENTRY_INTS, all.num * ENTRY_INTS);
            kernel.with(logits.memory())
                    .and(logits.cols())
                    .and(entries.at(all.from * ENTRY_INTS))
                    .and(tokens)
                    .and(scores.at(all.from * SCORE_INTS))
                    .launch(stream, num, 1, 1, THREADS, 0);
            scores.download(turn, all.from * SCORE_INTS, all.num * SCORE_INTS);
            all.from = all.num;
        }
    }

    /**
     * Hands out the scores of a turn whose step is done.
     *
     * @throws EngineException of category INVARIANT if a row's logits aren't numbers
     */
    void finish(int ofTurn) {
        Wanted all = wanted[ofTurn];
        IntBuffer ints = scores.ints(ofTurn);
        for (int i = 0; i < all.num; i++) {
            ScoredTokens into = all.into[i];
            all.into[i] = null;
            if (into != null) {
                read(ints, i * SCORE_INTS, into, all.entry[i]);
            }
        }
        all.num = 0;
        all.from = 0;
    }

    private static void read(IntBuffer ints, int at, ScoredTokens into, int entry) {
        if (ints.get(at) != 0) {
            throw new EngineException(Category.INVARIANT, "a logit is NaN or infinite in scored entry " + entry);
        }
        into.logprob[entry] = Float.intBitsToFloat(ints.get(at + 1));
        int ids = at + 2;
        int values = ids + ScoredTokens.MAX_ALTERNATIVES;
        int to = entry * ScoredTokens.MAX_ALTERNATIVES;
        for (int rank = 0; rank < into.numAlternatives[entry]; rank++) {
            into.alternativeId[to + rank] = ints.get(ids + rank);
            into.alternativeLogprob[to + rank] = Float.intBitsToFloat(ints.get(values + rank));
        }
    }
}
