package io.radixflow.loop;

import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.grammar.CompiledGrammar;
import io.radixflow.grammar.GrammarCompiler;
import io.radixflow.grammar.GrammarException;
import io.radixflow.grammar.MaskBuilder;
import io.radixflow.grammar.TokenTrie;
import io.radixflow.text.TokenBytes;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An engine's grammars. Clients' threads compile, so that the engine thread never waits for that, and the latest are kept; the engine thread alone
 * has the masks.
 */
final class Grammars {

    /** Of all grammars that are kept; a state takes some 50 bytes. */
    private static final int MAX_KEPT_STATES = 2_000_000;

    private final TokenBytes tokenBytes;
    private final int[] eosIds;
    private @Nullable TokenTrie trie; // guarded by this
    private final Map<GrammarSpec, CompiledGrammar> compiled = new LinkedHashMap<>(16, 0.75f, true); // guarded by this
    private int numStates; // guarded by this
    private @Nullable MaskBuilder masks; // engine thread

    Grammars(TokenBytes tokenBytes, int[] eosIds) {
        this.tokenBytes = tokenBytes;
        this.eosIds = eosIds;
    }

    /** @throws EngineException of category INVALID_REQUEST, if it can't be compiled; null compiles to null */
    @Nullable
    CompiledGrammar compile(@Nullable GrammarSpec spec) {
        if (spec == null) {
            return null;
        }
        trie();
        CompiledGrammar known = known(spec);
        if (known != null) {
            return known;
        }
        try {
            CompiledGrammar grammar = GrammarCompiler.compile(spec);
            keep(spec, grammar);
            return grammar;
        } catch (GrammarException e) {
            throw new EngineException(Category.INVALID_REQUEST, String.valueOf(e.getMessage()), e);
        }
    }

    private synchronized @Nullable CompiledGrammar known(GrammarSpec spec) {
        return compiled.get(spec);
    }

    private synchronized void keep(GrammarSpec spec, CompiledGrammar grammar) {
        CompiledGrammar before = compiled.put(spec, grammar);
        numStates += grammar.numStates() - (before == null ? 0 : before.numStates());
        Iterator<CompiledGrammar> oldest = compiled.values().iterator();
        while (numStates > MAX_KEPT_STATES && compiled.size() > 1) {
            numStates -= oldest.next().numStates();
            oldest.remove();
        }
    }

    /** Made by the first client that needs it: it takes a while. */
    synchronized TokenTrie trie() {
        if (trie == null) {
            trie = new TokenTrie(tokenBytes);
        }
        return trie;
    }

    /** Engine thread. */
    MaskBuilder masks() {
        if (masks == null) {
            masks = new MaskBuilder(tokenBytes, trie(), eosIds);
        }
        return masks;
    }
}
