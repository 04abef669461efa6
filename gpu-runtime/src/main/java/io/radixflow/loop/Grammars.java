package io.radixflow.loop;

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
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An engine's grammars: each is compiled once for all requests that ask for it at a time, and the latest are kept. Threads of their own compile, so
 * that neither clients nor the engine thread wait for that; the engine thread alone has the masks.
 */
final class Grammars {

    private static final Logger LOG = LoggerFactory.getLogger("io.radixflow.engine");

    /** Of all grammars that are kept; a state takes some 50 bytes. */
    private static final int MAX_KEPT_STATES = 2_000_000;

    /** A grammar that takes long holds up the others half of the time only. */
    private static final int NUM_COMPILERS = 2;

    private static final long IDLE_SECONDS = 10;

    private final TokenBytes tokenBytes;
    private final int[] eosIds;
    private final Executor compilers;
    private final Runnable onCompiled;
    private final Map<GrammarSpec, GrammarTicket> tickets = new LinkedHashMap<>(16, 0.75f, true); // guarded by itself
    private int weight; // of those that are done, guarded by tickets
    private volatile @Nullable MaskBuilder masks; // made under this

    /**
     * @param compilers where grammars are compiled
     * @param onCompiled called by them when a grammar has become ready or has failed
     */
    Grammars(TokenBytes tokenBytes, int[] eosIds, Executor compilers, Runnable onCompiled) {
        this.tokenBytes = tokenBytes;
        this.eosIds = eosIds;
        this.compilers = compilers;
        this.onCompiled = onCompiled;
    }

    /** Compiles on the thread that asks. */
    static Grammars immediate(TokenBytes tokenBytes, int[] eosIds) {
        return new Grammars(tokenBytes, eosIds, Runnable::run, () -> {});
    }

    /** Daemon threads that end when they have had nothing to do for a while. */
    static ThreadPoolExecutor compilers(String engineName) {
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                NUM_COMPILERS, NUM_COMPILERS, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "radixflow-grammar-" + engineName);
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /** Any thread: the grammar, which may not be ready yet; null for none. */
    @Nullable
    GrammarTicket request(@Nullable GrammarSpec spec) {
        if (spec == null) {
            return null;
        }
        GrammarTicket ticket;
        synchronized (tickets) {
            GrammarTicket known = tickets.get(spec);
            if (known != null) {
                return known;
            }
            ticket = new GrammarTicket(spec);
            tickets.put(spec, ticket);
        }
        try {
            compilers.execute(() -> compile(ticket));
        } catch (RejectedExecutionException e) {
            synchronized (tickets) {
                tickets.remove(spec); // the engine is being closed, which the session finds out
            }
        }
        return ticket;
    }

    /** A compiling thread's top. Whatever goes wrong, nobody waits for ever. */
    private void compile(GrammarTicket ticket) {
        long start = System.nanoTime();
        try {
            makeMasks();
            start = System.nanoTime();
            CompiledGrammar grammar = GrammarCompiler.compile(ticket.spec());
            ticket.succeed(grammar, System.nanoTime() - start);
        } catch (GrammarException e) {
            ticket.refuse(String.valueOf(e.getMessage()), System.nanoTime() - start);
        } catch (Throwable t) {
            LOG.error("A grammar's compilation has failed.", t);
            ticket.refuse("the grammar's compilation has failed: " + t, System.nanoTime() - start);
        }
        keep(ticket);
        onCompiled.run();
    }

    /** Refused ones too: whoever sends one is likely to send more of them. */
    private void keep(GrammarTicket ticket) {
        synchronized (tickets) {
            weight += ticket.weight();
            Iterator<GrammarTicket> oldest = tickets.values().iterator();
            while (weight > MAX_KEPT_STATES && oldest.hasNext()) {
                GrammarTicket other = oldest.next();
                if (other.isDone() && other != ticket) {
                    weight -= other.weight();
                    oldest.remove();
                }
            }
        }
    }

    /** The vocabulary's tree takes a while, so the first grammar makes it. */
    private synchronized void makeMasks() {
        if (masks == null) {
            MaskBuilder made = new MaskBuilder(tokenBytes, new TokenTrie(tokenBytes), eosIds);
            made.prepare();
            masks = made; // the engine thread's from here on
        }
    }

    /** Engine thread, once a grammar is ready. */
    MaskBuilder masks() {
        MaskBuilder made = masks;
        if (made == null) {
            throw new IllegalStateException("no grammar has been compiled");
        }
        return made;
    }
}
