package io.radixflow.job.cli;

import io.radixflow.job.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A folder that lives as long as a command. */
record TemporaryDir(Path path) implements AutoCloseable {

    static TemporaryDir create(String prefix) throws IOException {
        return new TemporaryDir(Files.createTempDirectory(prefix));
    }

    @Override
    public void close() throws IOException {
        Folders.delete(path);
    }
}
