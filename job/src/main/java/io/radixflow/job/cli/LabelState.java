package io.radixflow.job.cli;

import io.radixflow.job.pipeline.JobEnvironment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a labelling run keeps in its output folder until it has ended well: checkpoints, and what they depend on. */
final class LabelState {

    private static final String NAME = ".radixflow";

    private final Path dir;

    LabelState(Path outputDir) {
        dir = outputDir.resolve(NAME);
    }

    Path checkpoints() {
        return dir.resolve("checkpoints");
    }

    private Path identity() {
        return dir.resolve("run.properties");
    }

    private Path finishedBefore() {
        return dir.resolve("finished-before");
    }

    /** The checkpoint that the last run left, or null. */
    @Nullable
    Path newestCheckpoint() {
        return JobEnvironment.newestCheckpoint(checkpoints()).orElse(null);
    }

    /** What keeps a run from going on from the checkpoint, or null. */
    @Nullable
    String obstacle(RunIdentity now) {
        try {
            return RunIdentity.read(identity()).difference(now);
        } catch (IOException e) {
            return "a description that cannot be read";
        }
    }

    /** A run begins that starts from the finished rows. */
    void begin(RunIdentity identity, long numFinished) throws IOException {
        clear();
        Files.createDirectories(dir);
        identity.write(identity());
        Files.writeString(finishedBefore(), Long.toString(numFinished));
    }

    /** Rows that were finished before the run began that the checkpoint is of. */
    long numFinishedBefore() throws IOException {
        return Long.parseLong(Files.readString(finishedBefore()).strip());
    }

    void clear() throws IOException {
        if (!Files.isDirectory(dir)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(dir)) {
            for (Path each : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        }
    }
}
