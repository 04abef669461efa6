package io.radixflow.loop;

import io.radixflow.backend.ScoredTokens;
import io.radixflow.cache.ExpectedPrompt;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineLimits;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.PrefixAnnouncement;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.engine.StepOutput;
import io.radixflow.engine.TokenRules;
import io.radixflow.schedule.Scheduler;
import io.radixflow.text.StreamDecoder;
import io.radixflow.text.TokenBytes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One client's requests. The client's threads submit and abort; the engine thread collects each step's tokens in one {@link StepOutput},
 * taken from a pool to which the client's thread gives it back.
 */
final class Session implements EngineSession {

    private static final int MAX_POOLED_OUTPUTS = 16;

    private final CommandQueue commands;
    private final EngineLimits limits;
    private final TokenBytes tokenBytes;
    private final int[] eosIds;
    private final Grammars grammars;
    private final GenerationListener listener;
    private final Consumer<Session> onClose;
    /** Unfinished answers by request id; boxes an id for each request, not for each token. */
    final ConcurrentHashMap<Long, Answer> answers = new ConcurrentHashMap<>();

    /** Engine thread only: word of requests to come, by announcement id. */
    final Map<Long, ExpectedPrompt> announcements = new HashMap<>();

    private final ArrayBlockingQueue<StepOutput> pool = new ArrayBlockingQueue<>(MAX_POOLED_OUTPUTS);
    private final Consumer<StepOutput> giveBack = pool::offer;
    private volatile boolean isClosed;
    private volatile boolean hasFailed;
    /** This step's output, engine thread only; null if it has none so far. */
    private @Nullable StepOutput current;

    Session(
            CommandQueue commands,
            EngineLimits limits,
            TokenBytes tokenBytes,
            int[] eosIds,
            Grammars grammars,
            GenerationListener listener,
            Consumer<Session> onClose) {
        this.commands = commands;
        this.limits = limits;
        this.tokenBytes = tokenBytes;
        this.eosIds = eosIds;
        this.grammars = grammars;
        this.listener = listener;
        this.onClose = onClose;
    }

    @Override
    public boolean submit(GenerationRequest request) {
        checkTakes(request);
        Answer answer = register(request);
        if (!commands.offer(new Command.Submit(answer))) {
            answers.remove(request.requestId());
            return false;
        }
        forgetIfStopped(answer);
        return true;
    }

    @Override
    public boolean submitAll(List<GenerationRequest> requests) {
        requests.forEach(this::checkTakes);
        List<Answer> registered = new ArrayList<>(requests.size());
        boolean isTaken = false;
        try {
            for (GenerationRequest request : requests) {
                registered.add(register(request));
            }
            isTaken = commands.offer(new Command.SubmitAll(registered));
        } finally {
            if (!isTaken) {
                registered.forEach(answer -> answers.remove(answer.request().requestId()));
            }
        }
        registered.forEach(this::forgetIfStopped);
        return isTaken;
    }

    private void checkTakes(GenerationRequest request) {
        if (isClosed) {
            throw new IllegalStateException("the session is closed");
        }
        checkRuns();
        Scheduler.checkFits(request, limits.contextLen(), limits.maxTotalTokens());
        checkIds(request.promptIds(), "prompt");
        checkIds(request.outputIds(), "output");
        TokenRules rules = request.sampling().rules();
        checkIds(rules.biasIds(), "logit_bias");
        checkIds(rules.allowedIds(), "allowed_token_ids");
        for (int[] word : rules.badWords()) {
            checkIds(word, "bad_words");
        }
        checkVocabulary(request.sampling().logprobs(), "logprobs");
        checkVocabulary(request.promptLogprobs(), "prompt_logprobs");
    }

    private Answer register(GenerationRequest request) {
        GrammarTicket grammar = grammars.request(request.sampling().grammar());
        Answer answer = new Answer(request, this, tokenBytes, eosIds, grammar);
        if (answers.putIfAbsent(request.requestId(), answer) != null) {
            throw new IllegalArgumentException("request id " + request.requestId() + " is in use in this session");
        }
        return answer;
    }

    /** If the engine has stopped meanwhile and did not see the request: says so. */
    private void forgetIfStopped(Answer answer) {
        if (commands.stopped() != null && answers.remove(answer.request().requestId()) != null) {
            checkRuns();
        }
    }

    @Override
    public boolean announce(PrefixAnnouncement announcement) {
        if (isClosed) {
            throw new IllegalStateException("the session is closed");
        }
        checkRuns();
        checkIds(announcement.prefixIds(), "prefix");
        return commands.offer(new Command.Announce(this, announcement));
    }

    @Override
    public void withdraw(long announcementId) {
        commands.put(new Command.Withdraw(this, announcementId));
    }

    @Override
    public void abort(long requestId) {
        Answer answer = answers.get(requestId);
        if (answer != null) {
            commands.put(new Command.Abort(answer));
        }
    }

    @Override
    public void close() {
        if (!isClosed) {
            isClosed = true;
            onClose.accept(this);
            commands.put(new Command.CloseSession(this));
        }
    }

    boolean isClosed() {
        return isClosed;
    }

    /** Engine thread: adds the entry of a token, or of an end without one, and the text that is ready; true if it is the step's first. */
    boolean add(Answer answer, int token, @Nullable FinishReason reason) {
        StepOutput output = current;
        boolean isFirst = output == null;
        if (output == null) {
            output = pool.poll();
            if (output == null) {
                output = new StepOutput(giveBack);
            }
            current = output;
        }
        output.add(answer.request().requestId(), token, reason, answer.firstCachedLen(), answer.queueNanos());
        StreamDecoder decoder = answer.decoder;
        if (decoder.readyTo() > decoder.readyFrom()) {
            output.appendText(decoder.ready(), decoder.readyFrom(), decoder.readyTo());
            decoder.consume();
        }
        String refusal = reason == FinishReason.INVALID_GRAMMAR ? answer.grammarRefusal() : null;
        if (refusal != null) {
            output.setDetail(refusal);
        } else if (reason == FinishReason.ERROR) {
            String rules = answer.hasGrammar() ? "the grammar, " : "";
            output.setDetail("no token can be drawn: " + rules
                    + "logit_bias, bad_words, allowed_token_ids and min_tokens leave none"
                    + " at output position " + answer.knownOutputLen());
        } else if (reason == FinishReason.STOP && decoder.isStopped()) {
            output.setDetail(answer.request().sampling().stop().get(decoder.matchedStop()));
        }
        return isFirst;
    }

    /** Engine thread: adds the log-probabilities that the request wants to its entry, which was added last. */
    void addLogprobs(Answer answer, ScoredTokens tokens, int entry) {
        StepOutput output = current;
        if (output == null) {
            return;
        }
        PromptLogprobs ofPrompt = answer.takePromptLogprobs();
        if (ofPrompt != null) {
            output.setPromptLogprobs(ofPrompt);
        }
        if (answer.request().sampling().hasLogprobs()) {
            output.setLogprobs(
                    tokens.logprob[entry],
                    tokens.alternativeId,
                    tokens.alternativeLogprob,
                    entry * ScoredTokens.MAX_ALTERNATIVES,
                    tokens.numAlternatives[entry]);
        }
    }

    /** Engine thread: says how long a grammar took to compile that this session asked for first. */
    void onGrammarCompiled(long nanos) {
        if (!hasFailed) {
            listener.onGrammarCompiled(nanos);
        }
    }

    /** Engine thread: hands the step's output to the client. */
    void deliver() {
        StepOutput output = current;
        if (output != null) {
            current = null;
            if (!hasFailed) { // given up by the watchdog, the engine thread may come back to life
                listener.onStep(output);
            }
        }
    }

    /** Tells the client, once, that the engine has failed. Any thread. */
    void fail(EngineException cause, long[] inStep) {
        synchronized (this) {
            if (hasFailed) {
                return;
            }
            hasFailed = true;
        }
        answers.clear();
        listener.onFailure(cause, inStep);
    }

    private void checkRuns() {
        EngineException stopped = commands.stopped();
        if (stopped != null) {
            throw new EngineException(stopped.category(), "the engine has stopped: " + stopped.getMessage(), stopped);
        }
    }

    private void checkVocabulary(int numAlternatives, String what) {
        if (numAlternatives > limits.vocabSize()) {
            throw new EngineException(
                    EngineException.Category.INVALID_REQUEST,
                    what + " is " + numAlternatives + ", the model knows " + limits.vocabSize() + " tokens");
        }
    }

    private void checkIds(int[] ids, String what) {
        for (int id : ids) {
            if (id < 0 || id >= limits.vocabSize()) {
                throw new EngineException(
                        EngineException.Category.INVALID_REQUEST,
                        what + " has token id " + id + ", the model knows 0 to " + (limits.vocabSize() - 1));
            }
        }
    }
}
