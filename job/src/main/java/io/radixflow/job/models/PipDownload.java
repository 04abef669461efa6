package io.radixflow.job.models;

import io.radixflow.job.Folders;
import io.radixflow.job.UserException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** pip in a child process, and the folder it works in, which is gone when this is closed or the JVM ends. One thread uses it. */
final class PipDownload implements AutoCloseable {

    private static final int POLL_MILLIS = 250;

    private final List<String> pip;
    private final Path workDir;
    private final Thread cleaner = new Thread(this::stop, "fetch-cleaner");
    private volatile @Nullable Process running;

    private PipDownload(List<String> pip, Path workDir) {
        this.pip = pip;
        this.workDir = workDir;
    }

    /** @param workDir made anew: what a killed fetch left in it is removed */
    static PipDownload in(Path workDir, List<String> pip) throws IOException {
        Folders.delete(workDir);
        Files.createDirectories(workDir);
        PipDownload download = new PipDownload(pip, workDir);
        Runtime.getRuntime().addShutdownHook(download.cleaner);
        return download;
    }

    /**
     * Downloads one package.
     *
     * @param progress hears how many bytes of it have come
     * @return the package's file; the next call removes it
     * @throws UserException if pip is missing or fails, with pip's last line
     */
    Path wheel(String requirement, LongConsumer progress) throws IOException {
        Path dir = workDir.resolve("part");
        Folders.delete(dir);
        Path log = Files.createDirectory(dir).resolve("pip.log");
        Path downloads = Files.createDirectory(dir.resolve("download"));
        Path temporary = Files.createDirectory(dir.resolve("tmp"));
        List<String> command = Stream.concat(
                        pip.stream(),
                        Stream.of(
                                "download",
                                "--no-deps",
                                "--no-input",
                                "--disable-pip-version-check",
                                "--retries=2",
                                "--timeout=20",
                                requirement,
                                "-d",
                                downloads.toString()))
                .toList();
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("TMPDIR", temporary.toString()); // what pip has got so far can be seen there
        int status = await(start(builder), dir, progress);
        if (status != 0) {
            throw new UserException(requirement + " could not be downloaded: pip says '" + lastLine(log)
                    + "'. Check the network (or pip's index settings) and run the same command again");
        }
        try (Stream<Path> files = Files.list(downloads)) {
            return files.findFirst().orElseThrow(() -> new UserException("pip ended well but left no file"));
        }
    }

    private Process start(ProcessBuilder builder) {
        try {
            Process process = builder.start();
            running = process;
            return process;
        } catch (IOException e) {
            throw new UserException(pip.get(0) + " cannot be run; install Python 3 with pip and try again", e);
        }
    }

    private static int await(Process process, Path dir, LongConsumer progress) throws IOException {
        try {
            while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                progress.accept(sizeOf(dir));
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UserException("interrupted while downloading", e);
        } finally {
            process.destroy();
        }
    }

    @Override
    public void close() {
        stop();
        try {
            Runtime.getRuntime().removeShutdownHook(cleaner);
        } catch (IllegalStateException e) {
            return; // the JVM is going down: the hook runs, there is nothing to remove
        }
    }

    private void stop() {
        Process process = running;
        if (process != null) {
            process.destroyForcibly();
        }
        try {
            Folders.delete(workDir);
        } catch (IOException e) {
            throw new UserException("cannot remove " + workDir + ": " + e, e);
        }
    }

    private static String lastLine(Path log) throws IOException {
        List<String> lines = Files.readString(log, StandardCharsets.UTF_8)
                .lines()
                .filter(line -> !line.isBlank())
                .toList();
        return lines.isEmpty() ? "nothing" : lines.get(lines.size() - 1).strip();
    }

    private static long sizeOf(Path dir) throws IOException {
        long bytes = 0;
        try (Stream<Path> paths = Files.walk(dir)) {
            for (Path path : paths.toList()) {
                bytes += Files.isRegularFile(path) ? Files.size(path) : 0;
            }
        } catch (IOException | UncheckedIOException e) {
            return bytes; // a file went away while we looked: the next look will be right
        }
        return bytes;
    }
}
