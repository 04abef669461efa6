package io.radixflow.testkit;

import io.radixflow.engine.EngineException;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.engine.StepOutput;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Keeps what a session's requests got, and lets tests wait for their ends. Thread-safe. */
public final class RecordingListener implements GenerationListener {

    /** What one request got so far. */
    public static final class Recorded {
        private final List<Integer> tokens = new ArrayList<>();
        private final ByteArrayOutputStream text = new ByteArrayOutputStream();
        private @Nullable FinishReason finishReason;
        private final List<Float> logprobs = new ArrayList<>();
        private final List<String> alternatives = new ArrayList<>();
        private @Nullable PromptLogprobs promptLogprobs;
        private @Nullable String matchedStop;
        private @Nullable String error;
        private int cachedLen;
        private int numEnds;

        public List<Integer> tokens() {
            return tokens;
        }

        public String text() {
            return text.toString(StandardCharsets.UTF_8);
        }

        /** Null while it goes on. */
        public @Nullable FinishReason finishReason() {
            return finishReason;
        }

        public int cachedLen() {
            return cachedLen;
        }

        /** Of each token, if they were asked for. */
        public List<Float> logprobs() {
            return logprobs;
        }

        /** {@code id:logprob} of the likeliest tokens in each token's place, by rank, with all digits. */
        public List<String> alternatives() {
            return alternatives;
        }

        public @Nullable PromptLogprobs promptLogprobs() {
            return promptLogprobs;
        }

        public @Nullable String matchedStop() {
            return matchedStop;
        }

        public @Nullable String error() {
            return error;
        }

        private void addLogprobs(StepOutput output, int entry) {
            if (output.hasLogprob(entry)) {
                logprobs.add(output.logprob(entry));
                StringBuilder all = new StringBuilder();
                for (int i = output.alternativesStart(entry); i < output.alternativesEnd(entry); i++) {
                    all.append(output.alternativeIds()[i])
                            .append(':')
                            .append(output.alternativeLogprobs()[i])
                            .append(' ');
                }
                alternatives.add(all.toString());
            }
            PromptLogprobs ofPrompt = output.promptLogprobs(entry);
            if (ofPrompt != null) {
                if (promptLogprobs != null || tokens.size() > 1) {
                    throw new AssertionError("log-probabilities of the prompt after the first token");
                }
                promptLogprobs = ofPrompt;
            }
        }

        /** 1 once it has ended. */
        public int numEnds() {
            return numEnds;
        }
    }

    private final Map<Long, Recorded> requests = new HashMap<>();
    private final List<Long> endOrder = new ArrayList<>();
    private final List<Long> startOrder = new ArrayList<>();
    private @Nullable EngineException failure;
    private long[] failedStep = {};

    @Override
    public synchronized void onStep(StepOutput output) {
        for (int i = 0; i < output.numEntries(); i++) {
            long id = output.requestId(i);
            Recorded recorded = requests.get(id);
            if (recorded == null) {
                recorded = new Recorded();
                requests.put(id, recorded);
                startOrder.add(id);
            }
            if (output.tokenId(i) != StepOutput.NO_TOKEN) {
                recorded.tokens.add(output.tokenId(i));
            }
            recorded.text.write(output.textBytes(), output.textStart(i), output.textEnd(i) - output.textStart(i));
            recorded.addLogprobs(output, i);
            recorded.cachedLen = output.cachedLen(i);
            recorded.matchedStop = output.matchedStop(i);
            recorded.error = output.error(i);
            FinishReason reason = output.finishReason(i);
            if (reason != null) {
                recorded.finishReason = reason;
                recorded.numEnds++;
                endOrder.add(id);
            }
        }
        output.release();
        notifyAll();
    }

    @Override
    public synchronized void onFailure(EngineException cause, long[] inStep) {
        if (failure != null) {
            throw new AssertionError("a second failure", cause);
        }
        failure = cause;
        failedStep = inStep.clone();
        notifyAll();
    }

    /** The request's record; fails if it got nothing. */
    public synchronized Recorded of(long requestId) {
        Recorded recorded = requests.get(requestId);
        if (recorded == null) {
            throw new AssertionError("request " + requestId + " got no output");
        }
        return recorded;
    }

    public synchronized boolean has(long requestId) {
        return requests.containsKey(requestId);
    }

    /** Requests in the order of their first output. */
    public synchronized List<Long> startOrder() {
        return new ArrayList<>(startOrder);
    }

    public synchronized int numEnded() {
        return endOrder.size();
    }

    public synchronized @Nullable EngineException failure() {
        return failure;
    }

    /** The requests that the failed step was computing. */
    public synchronized long[] failedStep() {
        return failedStep.clone();
    }

    /** Waits until so many requests have ended or the engine has failed; fails after a minute. */
    public synchronized void awaitEnded(int count) {
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (endOrder.size() < count && failure == null) {
            long leftMillis = (deadline - System.nanoTime()) / 1_000_000;
            if (leftMillis <= 0) {
                throw new AssertionError(endOrder.size() + " of " + count + " requests ended in a minute");
            }
            try {
                wait(leftMillis);
            } catch (InterruptedException e) {
                throw new AssertionError("interrupted", e);
            }
        }
    }
}
