package io.radixflow.testkit;

import java.util.function.LongSupplier;

/** A nanosecond clock that only a test turns. Thread-safe. */
public final class ManualClock implements LongSupplier {

    private volatile long nanos;

    @Override
    public long getAsLong() {
        return nanos;
    }

    public void set(long newNanos) {
        nanos = newNanos;
    }
}
