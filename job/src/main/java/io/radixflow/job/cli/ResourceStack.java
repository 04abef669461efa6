package io.radixflow.job.cli;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** Resources of a command, closed in reverse order of their creation even if one of them fails. Thread-safe. */
final class ResourceStack implements AutoCloseable {

    private final Deque<AutoCloseable> resources = new ArrayDeque<>();
    private boolean isClosed;

    /** Takes the resource over; one that comes after the end is closed at once. */
    synchronized <T extends AutoCloseable> T add(T resource) throws Exception {
        if (isClosed) {
            resource.close();
            throw new IllegalStateException("shutting down");
        }
        resources.push(resource);
        return resource;
    }

    @Override
    public synchronized void close() {
        isClosed = true;
        Exception first = null;
        while (!resources.isEmpty()) {
            first = close(resources.pop(), first);
        }
        if (first != null) {
            throw new IllegalStateException("could not be closed", first);
        }
    }

    private static @Nullable Exception close(AutoCloseable resource, @Nullable Exception first) {
        try {
            resource.close();
            return first;
        } catch (Exception e) {
            return first == null ? e : first;
        }
    }
}
