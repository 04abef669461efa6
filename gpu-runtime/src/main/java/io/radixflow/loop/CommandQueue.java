package io.radixflow.loop;

import io.radixflow.engine.EngineException;
import java.util.ArrayDeque;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The way into the engine thread: a bounded queue that any thread fills and the engine thread drains. Listeners, which run on the engine
 * thread and can't wait for themselves, have an unbounded side queue.
 */
final class CommandQueue {

    private static final int CAPACITY = 4096;
    private static final long RECHECK_MILLIS = 100;

    private final ArrayBlockingQueue<Command> queue = new ArrayBlockingQueue<>(CAPACITY);
    private final ArrayDeque<Command> own = new ArrayDeque<>(); // engine thread only
    private volatile @Nullable Thread engineThread;
    private volatile @Nullable EngineException stopped;

    void drainedBy(Thread thread) {
        engineThread = thread;
    }

    /** No command will be taken any more. */
    void stop(EngineException reason) {
        stopped = reason;
    }

    @Nullable
    EngineException stopped() {
        return stopped;
    }

    /** False if the queue is full. */
    boolean offer(Command command) {
        return Thread.currentThread() == engineThread ? own.add(command) : queue.offer(command);
    }

    /** Waits for room; gives up in silence once the engine has stopped, when nothing is left to command. */
    void put(Command command) {
        boolean wasInterrupted = false;
        while (stopped == null && !offer(command)) {
            try {
                if (queue.offer(command, RECHECK_MILLIS, TimeUnit.MILLISECONDS)) {
                    break;
                }
            } catch (InterruptedException e) {
                wasInterrupted = true;
            }
        }
        if (wasInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Engine thread: the next command, or null. */
    @Nullable
    Command poll() {
        Command command = own.poll();
        return command == null ? queue.poll() : command;
    }

    /** Engine thread: waits for a command. */
    @Nullable
    Command await(long millis) throws InterruptedException {
        Command command = own.poll();
        return command == null ? queue.poll(millis, TimeUnit.MILLISECONDS) : command;
    }
}
