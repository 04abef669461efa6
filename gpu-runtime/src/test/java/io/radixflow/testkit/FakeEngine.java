package io.radixflow.testkit;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineDevice;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineLimits;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.EngineStats;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.PrefixAnnouncement;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.engine.StepOutput;
import io.radixflow.grammar.GrammarCompiler;
import io.radixflow.grammar.GrammarException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An engine without a model: its tokens are a function of prompt, seed and position alone, so a test can compute what any
 * undisturbed run gives ({@link #expectedText}). Runs up to {@code maxRunningRequests} requests, one token each a step; goes
 * on after {@code outputIds}. Steps are taken by the test ({@link #step}) or by a thread of its own.
 */
public final class FakeEngine implements Engine {

    /** Tokens are lower-case letters, as {@link FakeTokenizer} writes them; this one ends an answer. */
    public static final int EOS_ID = FakeTokenizer.EOS_ID;

    /** Requests whose prompt starts with this token are refused at submission. */
    public static final int REFUSED_ID = '!';

    /** A step with a request whose prompt starts with this token kills the engine. */
    public static final int POISON_ID = '#';

    private static final int NUM_LETTERS = 26;

    private final EngineLimits limits;
    private final int queueCapacity;
    private final List<Session> sessions = new ArrayList<>();
    private final List<Running> running = new ArrayList<>();
    private final List<Running> waiting = new ArrayList<>();
    private @Nullable Thread thread;
    private boolean isClosed;

    private long keptTokens;
    private long generatedTokens;
    private long promptTokens;
    private long numRequests;
    private long numAborted;
    private long numSteps;

    private FakeEngine(EngineLimits limits, int queueCapacity) {
        this.limits = limits;
        this.queueCapacity = queueCapacity;
    }

    /** An engine that steps only when the test says so. */
    public static FakeEngine stepped(int maxRunningRequests) {
        return stepped(maxRunningRequests, Integer.MAX_VALUE);
    }

    /** Likewise; {@code submit} answers false while {@code queueCapacity} requests wait. */
    public static FakeEngine stepped(int maxRunningRequests, int queueCapacity) {
        return new FakeEngine(
                new EngineLimits(1_024, 4_096, maxRunningRequests, FakeTokenizer.VOCAB_SIZE), queueCapacity);
    }

    /** An engine whose own thread takes a step every {@code stepMicros} while there is work. */
    public static FakeEngine threaded(int maxRunningRequests, long stepMicros) {
        return threaded(maxRunningRequests, stepMicros, () -> true);
    }

    /** Likewise; pauses while {@code mayStep} says no. */
    public static FakeEngine threaded(int maxRunningRequests, long stepMicros, BooleanSupplier mayStep) {
        FakeEngine engine = stepped(maxRunningRequests);
        Thread own = new Thread(() -> engine.run(TimeUnit.MICROSECONDS.toNanos(stepMicros), mayStep), "fake-engine");
        own.setDaemon(true);
        synchronized (engine) {
            engine.thread = own;
        }
        own.start();
        return engine;
    }

    private void run(long stepNanos, BooleanSupplier mayStep) {
        while (!isClosed()) {
            LockSupport.parkNanos(stepNanos);
            if (mayStep.getAsBoolean()) {
                step();
            }
        }
    }

    private synchronized boolean isClosed() {
        return isClosed;
    }

    /** The token at a position of the answer. */
    public static int token(GenerationRequest request, int position) {
        long hash = request.sampling().isGreedy() ? 0 : request.sampling().seed();
        for (int id : request.promptIds()) {
            hash = hash * 31 + id;
        }
        hash = (hash + position) * 0x9e3779b97f4a7c15L;
        hash ^= hash >>> 29;
        boolean isEnd = Math.floorMod(hash, 97) == 0;
        boolean mayEnd = !request.sampling().ignoreEos()
                && position >= request.sampling().minTokens();
        return isEnd && mayEnd ? EOS_ID : 'a' + Math.floorMod(hash >>> 7, NUM_LETTERS);
    }

    /** The whole answer to a request, whatever happens on the way. */
    public static String expectedText(GenerationRequest request) {
        StringBuilder text = new StringBuilder();
        for (int position = 0; position < request.sampling().maxTokens(); position++) {
            int token = token(request, position);
            if (token == EOS_ID) {
                break;
            }
            text.append((char) token);
        }
        return text.toString();
    }

    /** One step: admits what fits and gives every running request a token, or dies of poison. Returns the tokens generated. */
    public int step() {
        List<StepOutput> outputs = new ArrayList<>();
        List<Session> receivers = new ArrayList<>();
        int numTokens;
        if (admit()) {
            fail(new EngineException(EngineException.Category.DEVICE, "poison in the step"));
            return 0;
        }
        synchronized (this) {
            numTokens = running.size();
            for (Session session : sessions) {
                StepOutput output = new StepOutput(released -> {});
                expire(waiting, session, output);
                advance(session, output);
                if (output.numEntries() > 0) {
                    outputs.add(output);
                    receivers.add(session);
                }
            }
            generatedTokens += numTokens;
            numSteps++;
        }
        for (int i = 0; i < outputs.size(); i++) {
            receivers.get(i).listener.onStep(outputs.get(i));
        }
        return numTokens;
    }

    /** Begins a step: lets in what fits. True if there is poison among those that run. */
    public synchronized boolean admit() {
        while (running.size() < limits.maxRunningRequests() && !waiting.isEmpty()) {
            running.add(waiting.remove(0));
        }
        return running.stream().anyMatch(next -> next.request.promptIds()[0] == POISON_ID);
    }

    private void advance(Session session, StepOutput output) {
        expire(running, session, output);
        for (Iterator<Running> all = running.iterator(); all.hasNext(); ) {
            Running next = all.next();
            if (next.session == session && next.emitToken(output)) {
                all.remove();
            }
        }
    }

    private void expire(List<Running> requests, Session session, StepOutput output) {
        long now = System.nanoTime();
        for (Iterator<Running> all = requests.iterator(); all.hasNext(); ) {
            Running next = all.next();
            long deadline = next.request.deadlineNanos();
            boolean isTimeout = deadline != GenerationRequest.NO_DEADLINE && now - deadline >= 0;
            if (next.session == session && (isTimeout || next.isAborted)) {
                FinishReason reason = isTimeout ? FinishReason.TIMEOUT : FinishReason.ABORT;
                output.add(next.request.requestId(), StepOutput.NO_TOKEN, reason, 0, 0);
                all.remove();
                numAborted++;
            }
        }
    }

    /** Stops for good, in the middle of a step of all that runs: every session hears of the failure. */
    public void fail(EngineException cause) {
        List<Session> all;
        List<long[]> inStep = new ArrayList<>();
        synchronized (this) {
            isClosed = true;
            all = List.copyOf(sessions);
            for (Session session : all) {
                inStep.add(running.stream()
                        .filter(next -> next.session == session)
                        .mapToLong(next -> next.request.requestId())
                        .toArray());
            }
            running.clear();
            waiting.clear();
        }
        for (int i = 0; i < all.size(); i++) {
            all.get(i).listener.onFailure(cause, inStep.get(i));
        }
    }

    /** Tokens that came in with resumed requests. */
    public synchronized long keptTokens() {
        return keptTokens;
    }

    /** Whether somebody has a session. */
    public synchronized boolean isInUse() {
        return !sessions.isEmpty();
    }

    /** Requests that run or wait. */
    public synchronized int numUnfinished() {
        return running.size() + waiting.size();
    }

    @Override
    public EngineSession open(GenerationListener listener) {
        Session session = new Session(listener);
        synchronized (this) {
            sessions.add(session);
        }
        return session;
    }

    @Override
    public EngineLimits limits() {
        return limits;
    }

    @Override
    public EngineDevice device() {
        return new EngineDevice("fake engine", false);
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    /** Has no cache to flush. */
    @Override
    public boolean flushCache() {
        return numUnfinished() == 0;
    }

    @Override
    public synchronized boolean isRunning() {
        return !isClosed;
    }

    @Override
    public synchronized EngineStats stats() {
        int numUsedTokens = 0;
        for (Running next : running) {
            numUsedTokens += next.request.promptIds().length + next.position;
        }
        return new EngineStats(
                running.size(),
                waiting.size(),
                0,
                numUsedTokens,
                limits.maxTotalTokens(),
                promptTokens,
                0,
                promptTokens,
                generatedTokens,
                numRequests,
                0,
                numAborted,
                0,
                0,
                numSteps,
                numSteps,
                0,
                0);
    }

    @Override
    public void close() {
        Thread own;
        synchronized (this) {
            isClosed = true;
            own = thread;
            thread = null;
        }
        if (own == null) {
            return;
        }
        boolean isInterrupted = false;
        while (own.isAlive()) {
            try {
                own.join();
            } catch (InterruptedException e) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** A request and how far it has come. */
    private static final class Running {
        private final Session session;
        private final GenerationRequest request;
        private final @Nullable String refusal;
        private int position;
        private boolean isAborted;

        private Running(Session session, GenerationRequest request) {
            this.session = session;
            this.request = request;
            refusal = refusal(request.sampling().grammar());
            position = request.outputIds().length;
        }

        /** True if it was the last one. */
        private boolean emitToken(StepOutput output) {
            if (refusal != null) {
                output.add(request.requestId(), StepOutput.NO_TOKEN, FinishReason.INVALID_GRAMMAR, 0, 0);
                output.setDetail(refusal);
                return true;
            }
            int token = token(request, position++);
            FinishReason reason = null;
            if (token == EOS_ID) {
                reason = FinishReason.STOP;
            } else if (position == request.sampling().maxTokens()) {
                reason = FinishReason.LENGTH;
            }
            output.add(request.requestId(), token, reason, 0, 0);
            addScores(output, token);
            if (token != EOS_ID) {
                output.appendText(new byte[] {(byte) token}, 0, 1);
            }
            return reason != null;
        }

        /** The alternatives to a token are it and its successors; the prompt's log-probabilities come with the first token. */
        private void addScores(StepOutput output, int token) {
            if (request.sampling().hasLogprobs()) {
                int numTop = request.sampling().logprobs();
                int[] ids = new int[numTop];
                float[] logprobs = new float[numTop];
                for (int rank = 0; rank < numTop; rank++) {
                    ids[rank] = (token + rank) % FakeTokenizer.VOCAB_SIZE;
                    logprobs[rank] = logprob(token) - rank;
                }
                output.setLogprobs(logprob(token), ids, logprobs, 0, numTop);
            }
            boolean isFirst = position == request.outputIds().length + 1;
            if (isFirst && request.hasPromptLogprobs()) {
                int[] promptIds = request.promptIds();
                PromptLogprobs scores = new PromptLogprobs(0, promptIds.length, 0);
                for (int i = 1; i < promptIds.length; i++) {
                    scores.set(i, logprob(promptIds[i]), new int[0], new float[0], 0);
                }
                output.setPromptLogprobs(scores);
            }
        }
    }

    /** Why a grammar can't be compiled. One that can changes nothing about the answer here. */
    private static @Nullable String refusal(@Nullable GrammarSpec grammar) {
        try {
            if (grammar != null) {
                GrammarCompiler.compile(grammar);
            }
            return null;
        } catch (GrammarException e) {
            return e.getMessage();
        }
    }

    /** The log-probability of a token of the answer: the bits of its id, so that a test sees whose it is. */
    public static float logprob(int token) {
        return -token / 256f;
    }

    private final class Session implements EngineSession {

        private final GenerationListener listener;

        private Session(GenerationListener listener) {
            this.listener = listener;
        }

        @Override
        public boolean submit(GenerationRequest request) {
            if (request.promptIds()[0] == REFUSED_ID) {
                throw new EngineException(EngineException.Category.INVALID_REQUEST, "the prompt starts with '!'");
            }
            synchronized (FakeEngine.this) {
                if (waiting.size() >= queueCapacity) {
                    return false;
                }
                for (int i = 0; i < request.outputIds().length; i++) {
                    if (request.outputIds()[i] != token(request, i)) {
                        throw new IllegalStateException("output " + i + " was not generated for this prompt");
                    }
                }
                waiting.add(new Running(this, request));
                numRequests++;
                promptTokens += request.promptIds().length;
                keptTokens += request.outputIds().length;
                return true;
            }
        }

        /** Has no cache to keep it in. */
        @Override
        public boolean announce(PrefixAnnouncement announcement) {
            return true;
        }

        @Override
        public void withdraw(long announcementId) {}

        @Override
        public boolean submitAll(List<GenerationRequest> requests) {
            synchronized (FakeEngine.this) {
                boolean hasRoom = requests.size() <= queueCapacity - waiting.size();
                return hasRoom && requests.stream().allMatch(this::submit);
            }
        }

        @Override
        public void abort(long requestId) {
            synchronized (FakeEngine.this) {
                for (List<Running> list : List.of(running, waiting)) {
                    for (Running next : list) {
                        if (next.session == this && next.request.requestId() == requestId) {
                            next.isAborted = true;
                        }
                    }
                }
            }
        }

        @Override
        public void close() {
            synchronized (FakeEngine.this) {
                running.removeIf(next -> next.session == this);
                waiting.removeIf(next -> next.session == this);
                sessions.remove(this);
            }
        }
    }
}
