package io.radixflow.loop;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Notices when one round of the engine thread lasts longer than it may. Progress is counted, not timed: the same round must be seen at
 * {@link #NUM_LOOKS} looks in a row, so that a machine that slept, or a debugger, accuses nobody.
 *
 * <p>The engine thread tells of its rounds; a daemon thread looks, and ends after the first alarm.
 */
final class Watchdog implements AutoCloseable {

    private static final int NUM_LOOKS = 8;
    private static final long NANOS_PER_MILLI = 1_000_000;

    /** Odd in a round, even between two. */
    private final AtomicLong rounds = new AtomicLong();

    private final long lookMillis;
    private final Runnable onHang;
    private final Thread thread;
    private boolean isClosed;

    Watchdog(String name, long timeoutNanos, Runnable onHang) {
        this.onHang = onHang;
        lookMillis = Math.max(1, timeoutNanos / NUM_LOOKS / NANOS_PER_MILLI);
        thread = new Thread(this::run, "radixflow-watchdog-" + name);
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Engine thread. */
    void beginRound() {
        rounds.lazySet(rounds.getPlain() + 1);
    }

    /** Engine thread: what comes until the next round may last. */
    void endRound() {
        rounds.lazySet(rounds.getPlain() + 1);
    }

    private void run() {
        long seen = 0;
        int numSeen = 0;
        while (sleep()) {
            long now = rounds.get();
            boolean isInRound = (now & 1) == 1;
            numSeen = isInRound && now == seen ? numSeen + 1 : 0;
            seen = now;
            if (numSeen == NUM_LOOKS) {
                onHang.run();
                return;
            }
        }
    }

    /** False once it is closed. */
    private synchronized boolean sleep() {
        long until = System.nanoTime() + lookMillis * NANOS_PER_MILLI;
        for (long left = lookMillis; left > 0 && !isClosed; left = (until - System.nanoTime()) / NANOS_PER_MILLI) {
            try {
                wait(left);
            } catch (InterruptedException e) {
                return false; // nobody interrupts it but a host that ends
            }
        }
        return !isClosed;
    }

    /** Does not wait: the alarm itself may lead here. */
    @Override
    public synchronized void close() {
        isClosed = true;
        notifyAll();
    }
}
