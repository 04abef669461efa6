package io.radixflow.testkit;

import io.radixflow.backend.KvLayout;
import io.radixflow.loop.EngineParts;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.text.TokenBytes;
import java.nio.charset.StandardCharsets;

/** Engine parts over {@link FakeBackend}: token i of the vocabulary reads {@code "<i> "}. */
public final class FakeParts {

    public static final int VOCAB_SIZE = 997;
    /** The end-of-sequence token; the fake model draws it about as often as any other. */
    public static final int EOS = 0;

    private static final double LOG_INTERVAL_SECONDS = 1e6;

    private FakeParts() {}

    public static EngineParts of(SchedulerConfig scheduling) {
        return of(scheduling, Integer.getInteger("radixflow.fake.ahead", 1));
    }

    /** @param maxStepsInFlight of the backend: 2 to have the loop plan ahead */
    public static EngineParts of(SchedulerConfig scheduling, int maxStepsInFlight) {
        FakeBackend backend = new FakeBackend(maxStepsInFlight);
        FakeModel model = new FakeModel(VOCAB_SIZE, scheduling.maxRunning());
        return new EngineParts(
                backend,
                model,
                backend.allocateKvCache(model.kvLayout(scheduling.numSlots(), KvLayout.ElementType.FLOAT32)),
                tokenBytes(),
                new int[] {EOS},
                scheduling,
                LOG_INTERVAL_SECONDS);
    }

    public static TokenBytes tokenBytes() {
        byte[][] tokens = new byte[VOCAB_SIZE][];
        boolean[] isSpecial = new boolean[VOCAB_SIZE];
        for (int id = 0; id < VOCAB_SIZE; id++) {
            tokens[id] = ("<" + id + "> ").getBytes(StandardCharsets.US_ASCII);
        }
        isSpecial[EOS] = true;
        return new TokenBytes(tokens, isSpecial);
    }

    /** Limits wide enough not to matter. */
    public static SchedulerConfig wide() {
        return new SchedulerConfig(100_000, 4096, 16, 512, 16_384, SchedulerConfig.Policy.LPM, 1.0, true, 0);
    }
}
