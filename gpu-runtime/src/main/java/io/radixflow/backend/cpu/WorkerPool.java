package io.radixflow.backend.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The caller and {@code numThreads - 1} daemon threads that share loops over an index range.
 *
 * <p>The split depends only on size and thread count. Idle workers spin for some microseconds, since the ops of a step follow each other
 * closely, then yield, then park, so that an idle engine takes no processor time and a loaded machine goes on.
 *
 * <p>One thread calls. Nothing is allocated per loop.
 */
final class WorkerPool implements AutoCloseable {

    /** The body of a shared loop; an instance is reused, so that a loop allocates nothing. */
    interface Task {
        /** Handles indices {@code [from, to)} as worker {@code worker} of the pool. */
        void run(int worker, int from, int to);
    }

    private static final int SPINS = 1_000;
    private static final int YIELDS = 200;
    private static final long CALLER_PARK_NANOS = 20_000;
    private static final long CLOSE_MILLIS = 5_000;

    private final int numThreads;
    private final Worker[] workers;
    private final AtomicInteger unfinished = new AtomicInteger();
    private @Nullable Task task;
    private int size;
    private volatile int epoch;
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
        unfinished.set(workers.length);
        epoch++;
        for (Worker worker : workers) {
            if (worker.isParked) {
                LockSupport.unpark(worker);
            }
        }
        try {
            loopTask.run(0, 0, bound(1));
        } finally {
            awaitWorkers();
        }
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            rethrow(thrown);
        }
    }

    private int bound(int worker) {
        return (int) ((long) size * worker / numThreads);
    }

    @SuppressWarnings("ThreadPriorityCheck") // yielding keeps a loaded machine going; nothing relies on its order
    private void awaitWorkers() {
        for (int round = 0; unfinished.get() > 0; round++) {
            if (round < SPINS) {
                Thread.onSpinWait();
            } else if (round < SPINS + YIELDS) {
                Thread.yield();
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
            int seenEpoch = 0;
            while (awaitEpochAfter(seenEpoch)) {
                seenEpoch++;
                try {
                    Task current = task;
                    if (current != null) {
                        current.run(index, bound(index), bound(index + 1));
                    }
                } catch (RuntimeException | Error e) {
                    failure = e; // the caller throws it
                } finally {
                    unfinished.decrementAndGet();
                }
            }
        }

        /** False when the pool was closed. */
        @SuppressWarnings("ThreadPriorityCheck") // as above
        private boolean awaitEpochAfter(int seenEpoch) {
            for (int round = 0; epoch == seenEpoch; round++) {
                if (isClosed) {
                    return false;
                }
                if (round < SPINS) {
                    Thread.onSpinWait();
                } else if (round < SPINS + YIELDS) {
                    Thread.yield();
                } else {
                    isParked = true;
                    if (epoch == seenEpoch && !isClosed) {
                        LockSupport.park(this);
                    }
                    isParked = false;
                }
            }
            return true;
        }
    }
}
