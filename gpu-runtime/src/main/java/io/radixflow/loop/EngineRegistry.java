package io.radixflow.loop;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineOptions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engines of this JVM. A subtask leases one and alone uses it; when the lease ends, the engine stays for {@code --engine-keep-alive}, so
 * that a job that comes back finds weights loaded and the prefix cache warm. One that has failed is closed and never handed out again.
 *
 * <p>Lives as long as the class: in Flink's {@code lib/} as long as the task manager, in a job's jar as long as the job (then nothing
 * outlives a job, and {@code --engine-keep-alive} should stay 0). Methods may be called from any thread; engines are started and closed
 * outside the lock.
 */
public final class EngineRegistry {

    private static final Logger LOG = LoggerFactory.getLogger("io.radixflow.engine");
    private static final int NO_GPU = -1;
    private static final double MILLIS_PER_SECOND = 1000;

    // The one registry: what outlives jobs has no other place to be than a class that does.
    private static final EngineRegistry OF_THIS_JVM = new EngineRegistry(Engines::start);

    private final Function<EngineConfig, Engine> starter;
    private final List<Entry> entries = new ArrayList<>();
    private @Nullable ScheduledThreadPoolExecutor expiry;

    EngineRegistry(Function<EngineConfig, Engine> starter) {
        this.starter = starter;
    }

    public static EngineRegistry ofThisJvm() {
        return OF_THIS_JVM;
    }

    /** An engine, from its first lease until it is closed. Guarded by the registry. */
    private static final class Entry {
        private final EngineKey key;
        private final int gpu;
        private @Nullable Engine engine;
        private boolean isLeased = true;
        private @Nullable Future<?> expiry;

        private Entry(EngineKey key, int gpu) {
            this.key = key;
            this.gpu = gpu;
        }
    }

    /**
     * Leases an engine: a kept one of the same configuration, else a new one. Kept engines of another configuration on the same device give
     * way to it. Closing what it returns ends the lease: its sessions' requests are aborted.
     *
     * @param gpus indexes of the GPUs to choose from, of which the first that nobody leases is taken; empty for that of {@code --base-gpu-id}.
     *     Other devices than cuda don't look at it.
     * @throws EngineException of category CONFIGURATION with one line that says what to do
     */
    public Engine lease(EngineConfig config, List<Integer> gpus) {
        List<Engine> inTheWay = new ArrayList<>();
        Entry entry = reserve(config, gpus, inTheWay);
        inTheWay.forEach(EngineRegistry::closeQuietly);
        Engine engine = entry.engine;
        if (engine == null) {
            engine = start(entry, config);
        } else {
            LOG.info(
                    "This task is reusing the engine that an earlier one left: {}, weights and prefix cache as they were",
                    engine.device().description());
        }
        double keepSeconds = config.get(EngineOptions.ENGINE_KEEP_ALIVE);
        return new LeasedEngine(engine, () -> giveBack(entry, keepSeconds));
    }

    private Engine start(Entry entry, EngineConfig config) {
        try {
            Engine engine = withOwnClassLoader(() -> starter.apply(on(entry.gpu, config)));
            synchronized (this) {
                entry.engine = engine;
            }
            return engine;
        } catch (RuntimeException | Error e) {
            synchronized (this) {
                entries.remove(entry);
            }
            throw e;
        }
    }

    /** Threads take over their maker's context class loader; a job's must not live as long as an engine. */
    private static Engine withOwnClassLoader(Supplier<Engine> maker) {
        Thread caller = Thread.currentThread();
        ClassLoader ofCaller = caller.getContextClassLoader();
        caller.setContextClassLoader(EngineRegistry.class.getClassLoader());
        try {
            return maker.get();
        } finally {
            caller.setContextClassLoader(ofCaller);
        }
    }

    private static EngineConfig on(int gpu, EngineConfig config) {
        if (gpu == NO_GPU) {
            return config;
        }
        Map<String, String> texts = new HashMap<>(config.asMap());
        texts.put(EngineOptions.BASE_GPU_ID.name(), Integer.toString(gpu));
        return EngineConfig.of(texts);
    }

    private synchronized Entry reserve(EngineConfig config, List<Integer> gpus, List<Engine> inTheWay) {
        boolean isCuda = config.get(EngineOptions.DEVICE).equals("cuda");
        List<Integer> wanted =
                !isCuda ? List.of(NO_GPU) : gpus.isEmpty() ? List.of(config.get(EngineOptions.BASE_GPU_ID)) : gpus;
        for (int gpu : wanted) {
            Entry kept = findKept(EngineKey.of(on(gpu, config)));
            if (kept != null) {
                kept.isLeased = true;
                if (kept.expiry != null) {
                    kept.expiry.cancel(false);
                }
                return kept;
            }
        }
        int gpu = isCuda && !gpus.isEmpty() ? firstFree(gpus) : wanted.get(0);
        for (Entry other : List.copyOf(entries)) {
            Engine engine = other.engine;
            if (!other.isLeased && other.gpu == gpu && engine != null) {
                LOG.info("Closing a kept engine to make room for another");
                entries.remove(other);
                inTheWay.add(engine);
            }
        }
        Entry entry = new Entry(EngineKey.of(on(gpu, config)), gpu);
        entries.add(entry);
        return entry;
    }

    private @Nullable Entry findKept(EngineKey key) {
        for (Entry entry : entries) {
            Engine engine = entry.engine;
            if (!entry.isLeased && entry.key.equals(key) && engine != null && engine.isRunning()) {
                return entry;
            }
        }
        return null;
    }

    /** Rather one where nothing is kept. */
    private int firstFree(List<Integer> gpus) {
        int withKept = NO_GPU;
        for (int gpu : gpus) {
            boolean isLeased = false;
            boolean isKept = false;
            for (Entry entry : entries) {
                isLeased |= entry.gpu == gpu && entry.isLeased;
                isKept |= entry.gpu == gpu && !entry.isLeased;
            }
            if (!isLeased && !isKept) {
                return gpu;
            }
            if (!isLeased && withKept == NO_GPU) {
                withKept = gpu;
            }
        }
        if (withKept == NO_GPU) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    "all GPUs of this task manager (" + gpus
                            + ") have an engine of another subtask; give it as many GPUs"
                            + " (external-resource.gpu.amount) as task slots");
        }
        return withKept;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // nobody waits for the expiry, and it throws nothing
    private void giveBack(Entry entry, double keepSeconds) {
        Engine engine;
        synchronized (this) {
            engine = entry.engine;
            if (engine == null) {
                return;
            }
            if (keepSeconds > 0 && engine.isRunning()) {
                entry.isLeased = false;
                LOG.info("Keeping the engine for {} s (--engine-keep-alive)", keepSeconds);
                entry.expiry = expiry().schedule(
                                () -> expire(entry), (long) (keepSeconds * MILLIS_PER_SECOND), TimeUnit.MILLISECONDS);
                return;
            }
        }
        try {
            engine.close();
        } finally {
            synchronized (this) {
                entries.remove(entry); // only now is the device free
            }
        }
    }

    private void expire(Entry entry) {
        Engine engine;
        synchronized (this) {
            engine = entry.engine;
            if (entry.isLeased || engine == null || !entries.remove(entry)) {
                return;
            }
        }
        LOG.info("Closing the engine that no job came back for");
        closeQuietly(engine);
    }

    /** Made when the first engine is kept, with the hook that closes what is left when the JVM ends. */
    private ScheduledThreadPoolExecutor expiry() {
        ScheduledThreadPoolExecutor made = expiry;
        if (made == null) {
            made = new ScheduledThreadPoolExecutor(1, work -> thread(work, "radixflow-engine-expiry"));
            made.setKeepAliveTime(1, TimeUnit.SECONDS);
            made.allowCoreThreadTimeOut(true);
            made.setRemoveOnCancelPolicy(true);
            expiry = made;
            Runtime.getRuntime().addShutdownHook(thread(this::closeKept, "radixflow-engine-shutdown"));
        }
        return made;
    }

    private static Thread thread(Runnable work, String name) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.setContextClassLoader(EngineRegistry.class.getClassLoader());
        return thread;
    }

    /** Closes what nobody leases. */
    void closeKept() {
        List<Engine> kept = new ArrayList<>();
        synchronized (this) {
            for (Entry entry : List.copyOf(entries)) {
                Engine engine = entry.engine;
                if (!entry.isLeased && engine != null) {
                    entries.remove(entry);
                    kept.add(engine);
                }
            }
        }
        kept.forEach(EngineRegistry::closeQuietly);
    }

    private static void closeQuietly(Engine engine) {
        try {
            engine.close();
        } catch (RuntimeException e) { // of no concern to whoever needs the room
            LOG.warn("A kept engine did not close cleanly", e);
        }
    }
}
