package io.radixflow.loop;

import io.radixflow.engine.EngineLimits;
import io.radixflow.engine.GenerationListener;
import io.radixflow.testkit.FakeModel;
import io.radixflow.testkit.ManualClock;
import io.radixflow.testkit.RecordingListener;
import java.util.concurrent.Executor;

/** An engine loop that a test drives on its own thread, and one session of it. */
final class LoopFixture {

    private static final int MAX_ROUNDS = 1_000_000;

    final ManualClock clock = new ManualClock();
    final RecordingListener listener = new RecordingListener();
    final CommandQueue commands = new CommandQueue();
    final EngineParts parts;
    final Grammars grammars;
    final EngineLoop loop;
    final Session session;

    /** Grammars are compiled when they are asked for. */
    LoopFixture(EngineParts parts) {
        this(parts, Runnable::run);
    }

    LoopFixture(EngineParts parts, Executor compilers) {
        this.parts = parts;
        grammars = new Grammars(parts.tokenBytes(), parts.eosIds(), compilers, () -> {});
        loop = new EngineLoop(parts, grammars, commands, clock);
        session = open(listener);
    }

    Session open(GenerationListener to) {
        EngineLimits limits = new EngineLimits(
                parts.scheduling().contextLen(),
                parts.scheduling().numSlots(),
                parts.scheduling().maxRunning(),
                parts.model().vocabSize());
        return new Session(commands, limits, parts.tokenBytes(), parts.eosIds(), grammars, to, closed -> {});
    }

    /** Works until nothing is left to do, with deep checks after every round. */
    void drain() {
        for (int round = 0; loop.doWork() > 0; round++) {
            loop.scheduler().checkIntegrity();
            if (round == MAX_ROUNDS) {
                throw new AssertionError("no end in sight");
            }
        }
    }

    /** Rounds of work, each checked. */
    void work(int rounds) {
        for (int i = 0; i < rounds; i++) {
            loop.doWork();
            loop.scheduler().checkIntegrity();
        }
    }

    long computedTokens() {
        return ((FakeModel) parts.model()).numTokens();
    }
}
