package io.radixflow.backend.simulated;

import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/** The time that a simulated device and its engine live in, in nanoseconds. Read by any thread; let pass by the engine thread. */
public sealed interface SimulatedClock extends LongSupplier {

    /** Lets time pass until {@code nanos} of this clock. */
    void passUntil(long nanos);

    /** What {@link SimulatedBackend#description()} says of it. */
    String description();

    /** The machine's own time: the engine thread parks as long as a step is modelled to last. For jobs. */
    final class Real implements SimulatedClock {

        @Override
        public long getAsLong() {
            return System.nanoTime();
        }

        @Override
        public void passUntil(long nanos) {
            for (long left = nanos - System.nanoTime(); left > 0; left = nanos - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
        }

        @Override
        public String description() {
            return "real clock";
        }
    }

    /** Time that passes by steps alone, as fast as the machine can plan them. The same work gives the same times on every machine. */
    final class Virtual implements SimulatedClock {

        private volatile long now;

        @Override
        public long getAsLong() {
            return now;
        }

        @Override
        public void passUntil(long nanos) {
            now = Math.max(now, nanos);
        }

        @Override
        public String description() {
            return "virtual clock";
        }
    }
}
