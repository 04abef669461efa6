package io.radixflow.loop;

import io.radixflow.backend.ScoredTokens;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.engine.SamplingParams;
import io.radixflow.grammar.CompiledGrammar;
import io.radixflow.grammar.GrammarException;
import io.radixflow.grammar.MaskBuilder;
import io.radixflow.grammar.MatchState;
import io.radixflow.schedule.Sequence;
import io.radixflow.text.StreamDecoder;
import io.radixflow.text.TokenBytes;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A sequence with what its client sees of it: the session it belongs to and its text. */
final class Answer extends Sequence {

    private static final int[] NOTHING = {};

    final Session session;
    final StreamDecoder decoder;
    /** Ids that end it. */
    private final int[] endIds;

    private final List<int[]> badWords;
    private final int[] bannedIds;
    private final boolean hasLongBadWords;
    private int firstScored;
    private int firstUnbooked;
    /** Its place among the tokens that the last step drew. */
    int lastEntry;

    private boolean owesPromptLogprobs;
    private @Nullable PromptLogprobs promptLogprobs;
    private final @Nullable GrammarTicket grammar;
    private final boolean mayJump;
    private @Nullable MaskBuilder masks;
    private @Nullable MatchState match; // null without a grammar

    /** Replays the tokens that the request brings along; their text was delivered before. */
    Answer(
            GenerationRequest request,
            Session session,
            TokenBytes tokenBytes,
            int[] eosIds,
            @Nullable GrammarTicket grammar) {
        super(request);
        this.grammar = grammar;
        this.session = session;
        SamplingParams sampling = request.sampling();
        decoder = new StreamDecoder(tokenBytes, sampling);
        for (int id : request.outputIds()) {
            decoder.accept(id);
            decoder.consume();
        }
        endIds = endIds(sampling, eosIds);
        owesPromptLogprobs = request.hasPromptLogprobs();
        // Nothing goes before the first token; a start behind the prompt is its end.
        firstScored = owesPromptLogprobs ? Math.max(1, request.promptLogprobStart()) : promptLen();
        firstUnbooked = firstScored;
        mayJump = !sampling.hasLogprobs()
                && sampling.stopTokenIds().length == 0
                && sampling.rules().isEmpty();
        badWords = sampling.rules().badWords();
        hasLongBadWords = longestOf(badWords) > 1;
        bannedIds = new int[endIds.length + badWords.size()];
    }

    private static int[] endIds(SamplingParams sampling, int[] eosIds) {
        boolean isEosIgnored = sampling.ignoreEos() && sampling.grammar() == null;
        int[] modelIds = isEosIgnored ? NOTHING : eosIds;
        int[] ownIds = sampling.stopTokenIds();
        if (ownIds.length == 0) {
            return modelIds;
        }
        int[] all = Arrays.copyOf(ownIds, ownIds.length + modelIds.length);
        System.arraycopy(modelIds, 0, all, ownIds.length, modelIds.length);
        return all;
    }

    private static int longestOf(List<int[]> words) {
        int longest = 0;
        for (int[] word : words) {
            longest = Math.max(longest, word.length);
        }
        return longest;
    }

    /** The first prompt token that no step scores yet, or the prompt's length if no further one is wanted. */
    int firstScored() {
        return firstScored;
    }

    /** Prompt tokens from there on that the step's chunk scores. */
    int numScored(int chunkLen) {
        int to = Math.min(kvLen() + chunkLen + 1, promptLen());
        return Math.max(0, to - firstScored);
    }

    /** The step that is being enqueued scores so many. */
    void advanceScored(int num) {
        firstScored += num;
    }

    /** Whether what may be drawn next depends on the last tokens. */
    boolean needsLastTokens() {
        return hasLongBadWords || grammar != null;
    }

    /** Keeps the log-probabilities of the next {@code num} prompt tokens. */
    void addScored(ScoredTokens scored, int firstEntry, int num) {
        PromptLogprobs into = promptLogprobs();
        for (int i = 0; i < num; i++) {
            int entry = firstEntry + i;
            into.set(
                    firstUnbooked++,
                    scored.logprob[entry],
                    scored.alternativeId,
                    scored.alternativeLogprob,
                    entry * ScoredTokens.MAX_ALTERNATIVES);
        }
    }

    /** Those of the whole prompt, once; null if they aren't wanted or were taken. */
    @Nullable
    PromptLogprobs takePromptLogprobs() {
        if (!owesPromptLogprobs) {
            return null;
        }
        PromptLogprobs taken = promptLogprobs();
        owesPromptLogprobs = false;
        promptLogprobs = null;
        return taken;
    }

    /** Made when it is first needed: requests that wait need none. */
    private PromptLogprobs promptLogprobs() {
        if (promptLogprobs == null) {
            int start = request().promptLogprobStart();
            promptLogprobs =
                    new PromptLogprobs(start, promptLen() - start, request().promptLogprobs());
        }
        return promptLogprobs;
    }

    /** What scores a prompt token must be computed. */
    @Override
    protected int maxCachedLen() {
        return (firstScored < promptLen() ? firstScored : len()) - 1;
    }

    boolean isEndId(int token) {
        for (int id : endIds) {
            if (id == token) {
                return true;
            }
        }
        return false;
    }

    /** Finds the ids that the next token must not be: the first so many of {@link #bannedIds()}. */
    int findBanned() {
        int num = mayEnd() ? 0 : endIds.length;
        System.arraycopy(endIds, 0, bannedIds, 0, num);
        for (int i = 0; i < badWords.size(); i++) {
            int[] word = badWords.get(i);
            int prefixLen = word.length - 1;
            int from = len() - prefixLen;
            if (from >= promptLen() && Arrays.equals(tokens(), from, len(), word, 0, prefixLen)) {
                bannedIds[num++] = word[prefixLen];
            }
        }
        return num;
    }

    int[] bannedIds() {
        return bannedIds;
    }

    private boolean mayEnd() {
        boolean isLongEnough = outputLen() >= request().sampling().minTokens();
        return match == null ? isLongEnough : match.isAccepting() && isLongEnough;
    }

    boolean hasGrammar() {
        return grammar != null;
    }

    /** Whether nothing has to be waited for: there is no grammar, or it is ready, or it can't be compiled. */
    boolean isGrammarDone() {
        return grammar == null || grammar.isDone();
    }

    /** Why it can't begin: its deadline came before its grammar, or that can't be compiled; null if nothing is in the way. */
    @Nullable
    FinishReason grammarFailure() {
        if (!isGrammarDone()) {
            return FinishReason.TIMEOUT;
        }
        return grammarRefusal() == null ? null : FinishReason.INVALID_GRAMMAR;
    }

    /** Why the grammar can't be compiled; null if it can. */
    @Nullable
    String grammarRefusal() {
        return grammar == null ? null : grammar.refusal();
    }

    /** Engine thread: tells the session how long the grammar took to compile, if nobody has been told. */
    void reportCompileTime() {
        if (grammar != null && grammar.isDone()) {
            long nanos = grammar.takeCompileNanos();
            if (nanos >= 0) {
                session.onGrammarCompiled(nanos);
            }
        }
    }

    /**
     * Engine thread, before the first step: goes to where the tokens that the request brought along have led.
     *
     * @throws GrammarException if they are no beginning of the grammar's texts
     */
    void startGrammar(MaskBuilder builder) {
        CompiledGrammar compiled = grammar == null ? null : grammar.grammar();
        if (compiled == null) {
            throw new IllegalStateException("there is no grammar to start");
        }
        masks = builder;
        match = builder.start(compiled);
        for (int id : request().outputIds()) {
            advance(id);
        }
    }

    /**
     * Goes on by a token; true if no text can follow, so that the answer is complete.
     *
     * @throws GrammarException if the grammar does not allow it, or is too ambiguous to be followed
     */
    boolean advance(int token) {
        MatchState before = match;
        MaskBuilder builder = masks;
        if (before == null || builder == null) {
            return false;
        }
        MatchState next = builder.accept(before, token);
        if (next == null) {
            throw new GrammarException("token " + token + " is not allowed by the request's grammar");
        }
        match = next;
        return next.isFinal();
    }

    /**
     * Finds the tokens that take the place of one that was just drawn and that go on with what the grammar forces, if the request's rules let it be
     * written so: not if each token is to be scored, ends the answer by its id, or is subject to rules of its own.
     *
     * @return how many they are, 0 if the drawn one stays
     */
    int findForced(JumpForward jumps, int drawn, int contextLen) {
        MatchState before = match;
        MaskBuilder builder = masks;
        if (before == null || builder == null || !mayJump || isEndId(drawn)) {
            return 0;
        }
        MatchState after = builder.accept(before, drawn);
        int tokenBefore = tokens()[knownLen() - 2];
        int num = after == null ? 0 : jumps.find(tokenBefore, drawn, after, 1 + Math.max(0, remainingLen(contextLen)));
        for (int i = 0; i < num; i++) {
            if (isEndId(jumps.id(i))) {
                return 0;
            }
        }
        return num;
    }

    /** Tokens that the grammar allows next; null without one. */
    long @Nullable [] allowedBits() {
        MatchState at = match;
        MaskBuilder builder = masks;
        return at == null || builder == null ? null : builder.mask(at);
    }
}
