package io.radixflow.job.cli;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Closes a resource once: on the normal way out, or when the JVM is told to end (Ctrl-C, SIGTERM), which then waits for it.
 */
final class Shutdown implements AutoCloseable {

    private final AutoCloseable resource;
    private final AtomicBoolean isClosed = new AtomicBoolean();
    private final Thread hook;

    Shutdown(AutoCloseable resource) {
        this.resource = resource;
        hook = new Thread(this::closeOnce, "shutdown");
    }

    /** From now on the end of the JVM closes the resource. */
    void arm() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    @Override
    public void close() {
        closeOnce();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return; // the JVM is ending and runs the hook, which has nothing left to do
        }
    }

    private synchronized void closeOnce() {
        if (isClosed.getAndSet(true)) {
            return;
        }
        try {
            resource.close();
        } catch (Exception e) {
            System.err.println("radixflow: could not stop cleanly: " + e);
        }
    }
}
