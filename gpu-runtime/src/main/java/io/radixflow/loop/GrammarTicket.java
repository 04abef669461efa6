package io.radixflow.loop;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.grammar.CompiledGrammar;
import org.jspecify.annotations.Nullable;

/** A grammar that is being compiled, is ready, or can't be. Its compiling thread settles it once; then it is for any thread. */
final class GrammarTicket {

    private static final long TAKEN = -1;
    private static final int CHARS_PER_STATE = 25;

    private final GrammarSpec spec;
    private @Nullable CompiledGrammar grammar; // published by isDone, as the next two
    private @Nullable String refusal;
    private long compileNanos; // of the engine thread from then on
    private volatile boolean isDone;

    GrammarTicket(GrammarSpec spec) {
        this.spec = spec;
    }

    GrammarSpec spec() {
        return spec;
    }

    void succeed(CompiledGrammar compiled, long nanos) {
        grammar = compiled;
        compileNanos = nanos;
        isDone = true;
    }

    void refuse(String reason, long nanos) {
        refusal = reason;
        compileNanos = nanos;
        isDone = true;
    }

    /** Whether it is known what came of it. */
    boolean isDone() {
        return isDone;
    }

    /** Null while it is not ready, and if it can't be compiled. */
    @Nullable
    CompiledGrammar grammar() {
        return isDone ? grammar : null;
    }

    /** Why it can't be compiled; null if it can, or if that isn't known yet. */
    @Nullable
    String refusal() {
        return isDone ? refusal : null;
    }

    /** What keeping it takes, in states; a text of some characters counts as one. */
    int weight() {
        CompiledGrammar compiled = grammar();
        return 1 + spec.text().length() / CHARS_PER_STATE + (compiled == null ? 0 : compiled.numStates());
    }

    /** Engine thread, once it is done: how long it took, the first time; negative later. */
    long takeCompileNanos() {
        long nanos = compileNanos;
        compileNanos = TAKEN;
        return nanos;
    }
}
