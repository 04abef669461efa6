package io.radixflow.bench;

import io.radixflow.bench.WorkloadItem.Sampling;
import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.EngineStats;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.StepOutput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs one round on an engine and takes its times: requests are numbered conversation by conversation, turn by turn. The starting thread
 * waits; all else happens on the engine's thread, which also submits the later turns, so that they are in before the next step. Times are
 * those of the engine's clock.
 */
public final class RoundRun implements GenerationListener {

    /** Parts of the duration for which rates are kept. */
    private static final int NUM_RATES = 80;

    private static final long LOOK_MILLIS = 200;

    private final Engine engine;
    private final Round round;
    private final Sampling sampling;
    private final EngineSession session;
    private final CountDownLatch done = new CountDownLatch(1);
    private final AtomicLong numTokensDone = new AtomicLong();
    private volatile @Nullable EngineException failure;

    // By request.
    private final int[] conversation;
    private final int[] turn;
    private final int[][] prompt;
    private final int[][] output;
    private final int[] outputLen;
    private final int[] cachedLen;
    private final long[] submittedNanos;
    private final long[] firstNanos;
    private final long[] lastNanos;

    private final long[] gaps;
    private int numGaps;
    private final Timeline timeline = new Timeline();
    private long lastPrefillTokens;
    private int numCompleted;
    private int numLeft;
    private long endNanos;

    private RoundRun(Engine engine, Round round, Sampling sampling) {
        this.engine = engine;
        this.round = round;
        this.sampling = sampling;
        int num = round.numRequests();
        conversation = new int[num];
        turn = new int[num];
        prompt = new int[num][];
        output = new int[num][];
        outputLen = new int[num];
        cachedLen = new int[num];
        submittedNanos = new long[num];
        firstNanos = new long[num];
        lastNanos = new long[num];
        gaps = new long[Math.toIntExact(round.numOutputTokens())];
        numLeft = num;
        session = engine.open(this);
    }

    /**
     * Runs the round to its end.
     *
     * @param progress hears now and then, on the calling thread, of how many prompt and output tokens are done
     * @throws EngineException if the engine fails or refuses a request
     */
    public static RoundFigures run(Engine engine, Round round, Sampling sampling, LongConsumer progress)
            throws InterruptedException {
        RoundRun run = new RoundRun(engine, round, sampling);
        try (EngineSession open = run.session) {
            return run.run(open, progress);
        }
    }

    private RoundFigures run(EngineSession open, LongConsumer progress) throws InterruptedException {
        List<GenerationRequest> first = firstTurns();
        EngineStats before = engine.stats();
        lastPrefillTokens = before.prefillTokensTotal();
        long startNanos = engine.nanoTime();
        for (GenerationRequest request : first) {
            submittedNanos[(int) request.requestId()] = startNanos;
        }
        if (!open.submitAll(first)) {
            throw new IllegalStateException("the engine's command queue is full although nobody else uses it");
        }
        while (!done.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            progress.accept(numTokensDone.get());
        }
        if (failure != null) {
            throw failure;
        }
        return figures(startNanos, before, engine.stats());
    }

    private List<GenerationRequest> firstTurns() {
        List<GenerationRequest> first = new ArrayList<>(round.conversations().size());
        int id = 0;
        for (int c = 0; c < round.conversations().size(); c++) {
            List<Turn> turns = round.conversations().get(c);
            for (int t = 0; t < turns.size(); t++) {
                conversation[id + t] = c;
                turn[id + t] = t;
                output[id + t] = t + 1 < turns.size() ? new int[turns.get(t).outputLen()] : new int[0];
            }
            prompt[id] = turns.get(0).tokens();
            first.add(request(id));
            id += turns.size();
        }
        return first;
    }

    private GenerationRequest request(int id) {
        Turn own = round.conversations().get(conversation[id]).get(turn[id]);
        return new GenerationRequest(id, prompt[id], sampling.params(own.outputLen(), id));
    }

    @Override
    public void onStep(StepOutput step) {
        long now = engine.nanoTime();
        long prefillTokens = engine.stats().prefillTokensTotal();
        int outputTokens = 0;
        long doneTokens = 0;
        for (int entry = 0; entry < step.numEntries(); entry++) {
            int id = (int) step.requestId(entry);
            if (step.tokenId(entry) != StepOutput.NO_TOKEN) {
                boolean isFirst = outputLen[id] == 0;
                onToken(id, step.tokenId(entry), step.cachedLen(entry), now);
                doneTokens += isFirst ? prompt[id].length : 0;
                outputTokens++;
            }
            FinishReason reason = step.finishReason(entry);
            if (reason != null) {
                onEnd(id, reason, now);
            }
        }
        step.release();
        timeline.add(now, (int) (prefillTokens - lastPrefillTokens), outputTokens);
        lastPrefillTokens = prefillTokens;
        numTokensDone.addAndGet(doneTokens + outputTokens);
        if (numLeft == 0) {
            endNanos = now;
            done.countDown();
        }
    }

    private void onToken(int id, int token, int cached, long now) {
        if (outputLen[id] == 0) {
            firstNanos[id] = now;
            cachedLen[id] = cached;
        } else {
            gaps[numGaps++] = now - lastNanos[id];
        }
        lastNanos[id] = now;
        if (outputLen[id] < output[id].length) {
            output[id][outputLen[id]] = token;
        }
        outputLen[id]++;
    }

    private void onEnd(int id, FinishReason reason, long now) {
        List<Turn> turns = round.conversations().get(conversation[id]);
        int turnsLeft = turns.size() - turn[id];
        if (reason != FinishReason.LENGTH) {
            numLeft -= turnsLeft; // what would have followed can't be asked any more
            return;
        }
        numCompleted++;
        numLeft--;
        if (turnsLeft > 1) {
            submitNext(id, turns.get(turn[id] + 1), now);
        }
    }

    private void submitNext(int id, Turn next, long now) {
        int historyLen = prompt[id].length + output[id].length;
        int[] all = Arrays.copyOf(prompt[id], historyLen + next.tokens().length);
        System.arraycopy(output[id], 0, all, prompt[id].length, output[id].length);
        System.arraycopy(next.tokens(), 0, all, historyLen, next.tokens().length);
        prompt[id + 1] = all;
        submittedNanos[id + 1] = now;
        session.submit(request(id + 1)); // by the engine's own thread, whose queue is never full
    }

    @Override
    public void onFailure(EngineException cause, long[] inStep) {
        failure = cause;
        done.countDown();
    }

    private RoundFigures figures(long startNanos, EngineStats before, EngineStats after) {
        int num = outputLen.length;
        long[] e2e = new long[num];
        long[] ttft = new long[num];
        long[] tpot = new long[num];
        int numStarted = 0;
        int numDecoded = 0;
        long inputTokens = 0;
        long outputTokens = 0;
        long cachedTokens = 0;
        for (int id = 0; id < num; id++) {
            if (outputLen[id] > 0) {
                e2e[numStarted] = lastNanos[id] - submittedNanos[id];
                ttft[numStarted++] = firstNanos[id] - submittedNanos[id];
                inputTokens += prompt[id].length;
                outputTokens += outputLen[id];
                cachedTokens += cachedLen[id];
            }
            if (outputLen[id] > 1) {
                tpot[numDecoded++] = (lastNanos[id] - firstNanos[id]) / (outputLen[id] - 1);
            }
        }
        RoundFigures.Counts counts = new RoundFigures.Counts(
                numCompleted,
                inputTokens,
                outputTokens,
                cachedTokens,
                after.prefillTokensTotal() - before.prefillTokensTotal(),
                after.numSteps() - before.numSteps(),
                after.numRetractedReqs() - before.numRetractedReqs());
        return new RoundFigures(
                round,
                counts,
                endNanos - startNanos,
                new Distribution(Arrays.copyOf(e2e, numStarted)),
                new Distribution(Arrays.copyOf(ttft, numStarted)),
                new Distribution(Arrays.copyOf(tpot, numDecoded)),
                new Distribution(Arrays.copyOf(gaps, numGaps)),
                timeline.outputRates(startNanos, endNanos, NUM_RATES),
                timeline.promptRates(startNanos, endNanos, NUM_RATES));
    }
}
