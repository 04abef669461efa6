package io.radixflow.grammar;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.text.TokenBytes;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which tokens may come next, as bits of the vocabulary, and the way from state to state by tokens.
 *
 * <p>A place in a rule is looked at once without its callers: the tokens that stay within the rule are the same for all of them, and only those
 * that leave it are tried again for each caller [1]. Places in rules that call nothing are shared between grammars. Masks are kept with
 * their states, the oldest half is dropped when there are many. A mask that is known costs a look-up and no allocation.
 *
 * <p>Owned by the engine thread.
 *
 * <p>[1] Dong et al., "XGrammar: Flexible and Efficient Structured Generation Engine for Large Language Models", 2024.
 */
public final class MaskBuilder {

    private static final long MAX_MASK_BYTES = 128L << 20;
    private static final int MAX_SHARED_PLACES = 4_096;
    private static final int MAX_COMPARED_STATES = 128;
    private static final int MAX_GRAMMARS = 64;

    /** What most answers come through: any string, and one of so many characters. */
    private static final String[][] COMMON = {
        {"{\"type\":\"string\"}", "\"", "\"\\", "\"\\u"},
        {"{\"type\":\"string\",\"maxLength\":100}", "\"", "\"\\", "\"\\u"},
        {"{}", ""}
    };

    private final TokenBytes tokens;
    private final TokenTrie trie;
    private final int numWords;
    private final int[] endIds;
    private final int maxMasks;
    private final MatchState[] path; // [maxDepth + 1] states on the way to a node
    private final List<MatchState> masked = new ArrayList<>();
    private final Map<SharedPlace, LocalMask> shared = new HashMap<>();
    private final LocalWalk localWalk;
    private final DfaWalk dfaWalk;
    private final Map<CompiledGrammar, LazyStates> states = new LinkedHashMap<>(16, 0.75f, true);

    /** A place whose mask depends on nothing but one closed automaton; if it is small and not repeated, on what is left of it. */
    private record SharedPlace(Dfa automaton, int state, boolean isRepeated) {}

    /**
     * @param trie of the same tokens
     * @param endIds tokens that end an answer; allowed where the grammar accepts
     */
    public MaskBuilder(TokenBytes tokens, TokenTrie trie, int[] endIds) {
        this.tokens = tokens;
        this.trie = trie;
        this.endIds = endIds.clone();
        numWords = (trie.vocabSize() + 63) / 64;
        maxMasks = (int) (MAX_MASK_BYTES / (8L * numWords + 64));
        path = new MatchState[trie.maxDepth + 1];
        localWalk = new LocalWalk(trie, numWords);
        dfaWalk = new DfaWalk(trie, numWords);
    }

    public TokenTrie trie() {
        return trie;
    }

    /** Builds what all grammars share of common strings' masks, so that none of them has to. */
    public void prepare() {
        for (String[] common : COMMON) {
            CompiledGrammar grammar = GrammarCompiler.compile(GrammarSpec.of(GrammarSpec.Kind.JSON_SCHEMA, common[0]));
            for (int i = 1; i < common.length; i++) {
                MatchState state = start(grammar);
                for (byte value : common[i].getBytes(StandardCharsets.UTF_8)) {
                    state = states(state).step(state, value & 0xFF);
                }
                mask(state);
            }
        }
    }

    /** 64 tokens each. */
    public int numWords() {
        return numWords;
    }

    /**
     * Before the first byte; the states of the grammars used latest are shared by all their texts.
     *
     * @throws GrammarException if the grammar is too ambiguous from the start
     */
    public MatchState start(CompiledGrammar grammar) {
        LazyStates known = states.computeIfAbsent(grammar, LazyStates::new);
        if (states.size() > MAX_GRAMMARS) {
            states.remove(states.keySet().iterator().next());
        }
        if (known.start() == MatchState.DEAD) {
            throw new GrammarException("the grammar is too ambiguous");
        }
        return known.start();
    }

    /** The state after a token's bytes, or null if they can't follow. */
    public @Nullable MatchState accept(MatchState state, int tokenId) {
        MatchState next = state;
        LazyStates states = states(state);
        for (int i = tokens.start(tokenId); i < tokens.end(tokenId); i++) {
            next = states.step(next, tokens.bytes()[i] & 0xFF);
            if (next == MatchState.DEAD) {
                return null;
            }
        }
        return next;
    }

    private static LazyStates states(MatchState state) {
        if (state.owner == null) {
            throw new IllegalStateException("a dead state has no successors");
        }
        return state.owner;
    }

    /** Bits of the tokens that may follow, end tokens included; callers only read it. */
    public long[] mask(MatchState state) {
        long[] known = state.mask;
        return known != null ? known : build(state);
    }

    private long[] build(MatchState state) {
        LazyStates known = states(state);
        List<MatchState> parts = known.parts(state);
        long[] mask = parts.size() == 1 ? ofOneNode(known, state) : union(parts);
        if (state.isAccepting) {
            for (int id : endIds) {
                mask[id >> 6] |= 1L << id;
            }
        }
        if (masked.size() >= maxMasks) {
            forgetOldMasks();
        }
        state.mask = mask;
        masked.add(state);
        return mask;
    }

    private long[] union(List<MatchState> parts) {
        long[] mask = new long[numWords];
        for (MatchState part : parts) {
            long[] ofPart = mask(part);
            for (int i = 0; i < numWords; i++) {
                mask[i] |= ofPart[i];
            }
        }
        return mask;
    }

    private long[] ofOneNode(LazyStates known, MatchState state) {
        LocalMask local = localMask(known, known.local(state));
        return known.isRepetition(state.nodes[0]) ? fromRepetition(known, state, local) : fromRule(known, state, local);
    }

    private void forgetOldMasks() {
        int half = masked.size() / 2;
        for (int i = 0; i < half; i++) {
            masked.get(i).mask = null;
        }
        List<MatchState> kept = new ArrayList<>(masked.subList(half, masked.size()));
        masked.clear();
        masked.addAll(kept);
    }

    private LocalMask localMask(LazyStates states, MatchState local) {
        LocalMask known = local.localMask;
        if (known != null) {
            return known;
        }
        CompiledGrammar grammar = states.grammar();
        int rule = grammar.ruleOf(local.states[0]);
        boolean isRepeated = local.nodes[0].kind == StackNode.Kind.OPEN_REPETITION;
        LocalMask mask;
        if (local.states.length == 1 && grammar.isClosed(rule)) {
            SharedPlace place = place(grammar.automaton(rule), local.states[0] - grammar.startOf(rule), isRepeated);
            mask = shared.get(place);
            if (mask == null) {
                mask = isRepeated
                        ? localWalk.walk(states, local, true)
                        : dfaWalk.walk(grammar.automaton(rule), local.states[0] - grammar.startOf(rule));
                if (shared.size() < MAX_SHARED_PLACES) {
                    shared.put(place, mask);
                }
            }
        } else {
            mask = localWalk.walk(states, local, isRepeated);
        }
        local.localMask = mask;
        return mask;
    }

    /** Strings that need not have one of some names are any strings once they differ from all of them. */
    private static SharedPlace place(Dfa automaton, int state, boolean isRepeated) {
        Dfa remainder = isRepeated ? null : automaton.remainder(state, MAX_COMPARED_STATES);
        return remainder == null ? new SharedPlace(automaton, state, isRepeated) : new SharedPlace(remainder, 0, false);
    }

    private long[] fromRule(LazyStates states, MatchState state, LocalMask local) {
        long[] mask = local.accepted().clone();
        for (int node : local.leaving()) {
            MatchState at = walkTo(states, state, node);
            if (at != MatchState.DEAD) {
                walkBelow(states, at, node, mask);
            }
        }
        return mask;
    }

    /**
     * If no byte leads on both inside of the repetition and behind it, a token leaves it at its last possible place before the byte that does not
     * go on inside, and always into the same state.
     */
    private long[] fromRepetition(LazyStates states, MatchState state, LocalMask local) {
        StackNode below = state.nodes[0];
        CompiledGrammar grammar = states.grammar();
        int call = below.call[0];
        int most = grammar.callMax(call) == CompiledGrammar.UNBOUNDED
                ? CompiledGrammar.UNBOUNDED
                : grammar.callMax(call) - below.done[0];
        int least = grammar.callMin(call) - below.done[0];
        MatchState exit = states.exit(below);
        for (int value = 0; value < 256; value++) {
            if (local.isInside()[value] && states.step(exit, value) != MatchState.DEAD) {
                long[] mask = new long[numWords];
                walkBelow(states, state, 0, mask);
                return mask;
            }
        }
        long[] mask = most >= local.maxTouched() ? local.accepted().clone() : touchingAtMost(local, most);
        for (int value = 0; value < 256; value++) {
            MatchState behind = states.step(exit, value);
            int end = behind == MatchState.DEAD ? 0 : local.labelFrom()[value + 1];
            for (int i = local.labelFrom()[value]; i < end; i++) {
                if (local.leavingAfter()[i] >= least && local.leavingAfter()[i] <= most) {
                    walkBelow(states, behind, local.leaving()[i], mask);
                }
            }
        }
        return mask;
    }

    private long[] touchingAtMost(LocalMask local, int allowed) {
        int[] byTouched = local.byTouched();
        int split = local.touchedFrom()[allowed + 1];
        if (split < byTouched.length / 2) {
            long[] mask = new long[numWords];
            for (int i = 0; i < split; i++) {
                mask[byTouched[i] >> 6] |= 1L << byTouched[i];
            }
            return mask;
        }
        long[] mask = local.accepted().clone();
        for (int i = split; i < byTouched.length; i++) {
            mask[byTouched[i] >> 6] &= ~(1L << byTouched[i]);
        }
        return mask;
    }

    private MatchState walkTo(LazyStates states, MatchState from, int node) {
        int depth = trie.depth[node];
        if (depth == 0) {
            return from;
        }
        MatchState before = walkTo(states, from, trie.parent[node]);
        return before == MatchState.DEAD ? before : states.step(before, trie.label[node] & 0xFF);
    }

    /** Sets the bits of the tokens at and below a node whose bytes lead on from {@code at}, the state at that node. */
    private void walkBelow(LazyStates states, MatchState at, int node, long[] mask) {
        int top = trie.depth[node];
        path[top] = at;
        setTokens(node, mask);
        int end = trie.end[node];
        for (int i = node + 1; i < end; ) {
            int depth = trie.depth[i];
            MatchState next = states.step(path[depth - 1], trie.label[i] & 0xFF);
            if (next == MatchState.DEAD) {
                i = trie.end[i];
                continue;
            }
            path[depth] = next;
            setTokens(i, mask);
            i++;
        }
    }

    private void setTokens(int node, long[] mask) {
        for (int i = trie.tokenFrom[node]; i < trie.tokenTo[node]; i++) {
            int id = trie.ids[i];
            mask[id >> 6] |= 1L << id;
        }
    }
}
