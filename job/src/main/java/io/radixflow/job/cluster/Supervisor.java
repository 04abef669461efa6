package io.radixflow.job.cluster;

import io.radixflow.job.cluster.ClusterState.RunningProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a cluster's processes alive: a process that ends is started again, at once the first time, later and later if it keeps
 * ending. SIGTERM ends all of them. It is a process of its own, so that the command that started the cluster can go.
 *
 * <p>One thread watches; the shutdown hook ends the children under the same lock.
 */
public final class Supervisor {

    private static final int WATCH_MILLIS = 100;
    private static final int STOP_SECONDS = 15;
    private static final int PORT_WAIT_MILLIS = 30_000;
    /** A process that lived longer than this starts with a clean record. */
    private static final long STEADY_MILLIS = 60_000;

    private static final long LONGEST_DELAY_MILLIS = 30_000;

    private final ClusterDirs dirs;
    private final List<Child> children = new ArrayList<>();
    private final RunningProcess self;
    private volatile boolean isStopping;

    /** A process with its record. */
    private static final class Child {
        final ProcessSpec spec;

        @Nullable
        Process process;

        long startedMillis;
        long nextStartMillis;
        int numQuickEnds;
        int numStarts;

        Child(ProcessSpec spec) {
            this.spec = spec;
        }
    }

    private Supervisor(ClusterDirs dirs, ClusterPlan plan) {
        this.dirs = dirs;
        self = RunningProcess.of("supervisor", ProcessHandle.current(), 0);
        plan.processes().forEach(spec -> children.add(new Child(spec)));
    }

    /** @param arguments the cluster's folder, which holds the plan */
    public static void main(String[] arguments) throws Exception {
        ClusterDirs dirs = new ClusterDirs(Path.of(arguments[0]));
        try (FileChannel channel =
                        FileChannel.open(dirs.lockFile(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            if (lock == null) {
                say("another supervisor runs in " + dirs.root());
                return;
            }
            Supervisor supervisor = new Supervisor(dirs, ClusterPlan.read(dirs));
            Runtime.getRuntime().addShutdownHook(new Thread(supervisor::stop, "stop"));
            supervisor.watch();
        }
    }

    @SuppressWarnings(
            "BusyWait") // a look ten times a second notices ends of several processes without a thread for each
    private void watch() throws IOException, InterruptedException {
        while (!isStopping) {
            for (Child child : children) {
                look(child);
            }
            Thread.sleep(WATCH_MILLIS);
        }
    }

    private synchronized void look(Child child) throws IOException, InterruptedException {
        if (isStopping) {
            return;
        }
        long now = System.currentTimeMillis();
        Process process = child.process;
        if (process != null && process.isAlive()) {
            return;
        }
        if (process != null) {
            child.process = null;
            child.numQuickEnds = now - child.startedMillis > STEADY_MILLIS ? 1 : child.numQuickEnds + 1;
            long delay = child.numQuickEnds <= 2
                    ? 0
                    : Math.min(LONGEST_DELAY_MILLIS, 1_000L << Math.min(10, child.numQuickEnds - 3));
            child.nextStartMillis = now + delay;
            say(child.spec.name() + " (pid " + process.pid() + ") ended with status " + process.exitValue()
                    + ", starts again in " + delay + " ms");
        }
        if (now >= child.nextStartMillis) {
            start(child, now);
        }
    }

    private void start(Child child, long now) throws IOException, InterruptedException {
        ProcessSpec spec = child.spec;
        ProcessBuilder builder = new ProcessBuilder(spec.command())
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(dirs.out(spec.name()).toFile()));
        builder.environment().putAll(spec.environment());
        Process process = builder.start();
        child.process = process;
        child.startedMillis = now;
        child.numStarts++;
        say(spec.name() + " started, pid " + process.pid());
        writeState();
        if (spec.port() != 0 && child.numStarts == 1) {
            awaitPort(spec.port(), process);
        }
    }

    private void awaitPort(int port, Process process) throws InterruptedException {
        long deadline = System.currentTimeMillis() + PORT_WAIT_MILLIS;
        while (!isStopping && process.isAlive() && System.currentTimeMillis() < deadline && !isOpen(port)) {
            Thread.sleep(WATCH_MILLIS);
        }
    }

    static boolean isOpen(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), WATCH_MILLIS);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private void writeState() throws IOException {
        List<RunningProcess> running = new ArrayList<>();
        for (Child child : children) {
            if (child.process != null) {
                running.add(RunningProcess.of(child.spec.name(), child.process.toHandle(), child.numStarts - 1));
            }
        }
        new ClusterState(self, running).write(dirs);
    }

    /** Ends Flink's processes first, so that they can still talk to ZooKeeper and the broker. */
    private void stop() {
        isStopping = true;
        synchronized (this) {
            endAll();
        }
    }

    private void endAll() {
        List<Process> flink = new ArrayList<>();
        List<Process> others = new ArrayList<>();
        for (Child child : children) {
            if (child.process != null) {
                (child.spec.port() == 0 ? flink : others).add(child.process);
            }
        }
        Collections.reverse(others);
        end(flink);
        end(others);
        try {
            Files.deleteIfExists(dirs.stateFile());
            dirs.deleteTemporary();
        } catch (IOException e) {
            say("could not clean up: " + e);
        }
        say("stopped");
    }

    private static void end(List<Process> processes) {
        processes.forEach(Process::destroy);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(STOP_SECONDS);
        for (Process process : processes) {
            try {
                if (!process.waitFor(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS)) {
                    say("pid " + process.pid() + " did not end in " + STOP_SECONDS + " s, killed");
                    process.destroyForcibly().waitFor();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                process.destroyForcibly();
            }
        }
    }

    private static void say(String text) {
        System.out.println(Instant.now() + " " + text);
    }
}
