package io.radixflow.job.cli;

import io.radixflow.job.UserException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Keeps two runs from writing to one output folder. */
final class OutputLock implements AutoCloseable {

    private static final String NAME = ".lock";

    private final FileChannel channel;

    private OutputLock(FileChannel channel) {
        this.channel = channel;
    }

    /** @throws UserException if another run holds the folder */
    static OutputLock take(Path outputDir) throws IOException {
        FileChannel channel =
                FileChannel.open(outputDir.resolve(NAME), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock();
        if (lock == null) {
            channel.close();
            throw new UserException(
                    "another run writes to --output " + outputDir + "; wait for it or name another folder");
        }
        return new OutputLock(channel);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
