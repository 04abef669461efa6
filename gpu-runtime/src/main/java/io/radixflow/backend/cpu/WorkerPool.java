package io.radixflow.backend.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The caller and {@code numThreads - 1} daemon threads that share loops over an index range.
 *
 * <p>A range is cut into a few pieces for each thread, which threads claim as they come free: a worker that the operating system holds
 * back claims none, and nobody waits for it. Idle workers spin for some microseconds, since the ops of a step follow each other closely, then
 * park, so that an idle engine takes no processor time. They don't yield before: on a loaded machine who yields waits for the others' whole
 * time slices, while who was parked is let in soon.
 *
 * <p>One thread calls. Nothing is allocated per loop.
 */
final class WorkerPool implements AutoCloseable {

    /** The body of a shared loop; an instance is reused, so that a loop allocates nothing. */
    interface Task {
        /** Handles indices {@code [from, to)} as worker {@code worker} of the pool; a thread may be given several runs of one loop. */
        void run(int worker, int from, int to);
    }

    private static final int SPINS = 1_000;
    private static final long CALLER_PARK_NANOS = 20_000;
    private static final long CLOSE_MILLIS = 5_000;

    private static final int PIECES_PER_THREAD = 3;

    private final int numThreads;
    private final Worker[] workers;
    /**
     * Number of the loop in the upper half, pieces that nobody has claimed in the lower. Who lowers it owns a piece, and as long as that is
     * unfinished the fields of the loop stay as they are; a claim that comes too late fails by the loop's number.
     */
    private final AtomicLong claim = new AtomicLong();

    private final AtomicInteger unfinished = new AtomicInteger();
    private @Nullable Task task;
    private int size;
    private int numPieces;
    private volatile boolean isClosed;
    private volatile @Nullable Throwable failure;

    WorkerPool(int numThreads) {
        if (numThreads < 1) {
            throw new IllegalArgumentException("number of threads must be at least 1, got " + numThreads);
        }
        this.numThreads = numThreads;
        workers = new Worker[numThreads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
        }
        for (Worker worker : workers) {
            worker.start();
        }
    }

    int numThreads() {
        return numThreads;
    }

    /** Runs the task over {@code [0, size)}, shared by all threads, and returns when all is done; a failure of any thread is thrown here. */
    void run(Task loopTask, int loopSize) {
        if (workers.length == 0 || loopSize < 2) {
            loopTask.run(0, 0, loopSize);
            return;
        }
        task = loopTask;
        size = loopSize;
        numPieces = Math.min(loopSize, PIECES_PER_THREAD * numThreads);
        unfinished.set(numPieces);
        claim.set(((claim.get() >>> 32) + 1) << 32 | numPieces);
        for (Worker worker : workers) {
            if (worker.isParked) {
                LockSupport.unpark(worker);
            }
        }
        while (runPiece(0)) {
            // until all are claimed
        }
        awaitWorkers();
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            rethrow(thrown);
        }
    }

    /** Claims one piece and runs it; false when there is none. */
    private boolean runPiece(int worker) {
        long seen;
        int unclaimed;
        do {
            seen = claim.get();
            unclaimed = (int) seen;
            if (unclaimed == 0) {
                return false;
            }
        } while (!claim.compareAndSet(seen, seen - 1));
        try {
            Task current = task;
            if (current != null) {
                current.run(worker, bound(numPieces - unclaimed), bound(numPieces - unclaimed + 1));
            }
        } catch (RuntimeException | Error e) {
            failure = e; // the caller throws it
        } finally {
            unfinished.decrementAndGet();
        }
        return true;
    }

    private int bound(int piece) {
        return (int) ((long) size * piece / numPieces);
    }

    private void awaitWorkers() {
        for (int round = 0; unfinished.get() > 0; round++) {
            if (round < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(CALLER_PARK_NANOS);
            }
        }
    }

    private static void rethrow(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) thrown; // tasks declare no checked exceptions
    }

    /** Ends the threads. Idempotent. */
    @Override
    public void close() {
        isClosed = true;
        boolean isInterrupted = false;
        for (Worker worker : workers) {
            LockSupport.unpark(worker);
            try {
                worker.join(CLOSE_MILLIS);
            } catch (InterruptedException e) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Worker extends Thread {
        private final int index;
        private volatile boolean isParked;

        Worker(int index) {
            super("radixflow-cpu-" + index);
            this.index = index;
            setDaemon(true);
        }

        @Override
        public void run() {
            while (awaitPiece()) {
                runPiece(index);
            }
        }

        /** False when the pool was closed. */
        private boolean awaitPiece() {
            for (int round = 0; (int) claim.get() == 0; round++) {
                if (isClosed) {
                    return false;
                }
                if (round < SPINS) {
                    Thread.onSpinWait();
                } else {
                    isParked = true;
                    if ((int) claim.get() == 0 && !isClosed) {
                        LockSupport.park(this);
                    }
                    isParked = false;
                }
            }
            return true;
        }
    }
}
