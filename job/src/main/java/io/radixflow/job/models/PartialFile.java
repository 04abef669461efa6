package io.radixflow.job.models;

import io.radixflow.job.UserException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * The weight file of a fetch under way, which grows part by part and outlives an interruption: its length says which parts are in it. A
 * lock keeps a second fetch of the same model out.
 */
final class PartialFile implements AutoCloseable {

    private static final int BUFFER_BYTES = 1 << 20;

    private final Path path;
    private final FileChannel channel;

    private PartialFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /** Opens or creates it. @throws UserException if another fetch has it */
    static PartialFile open(Path path) throws IOException {
        FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        if (tryLock(channel) == null) {
            channel.close();
            throw new UserException("another fetch of this model is under way (it holds " + path
                    + "); wait for it, or stop it and run the same command again");
        }
        return new PartialFile(path, channel);
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // held by this JVM
        }
    }

    Path path() {
        return path;
    }

    /** Cuts off what was begun of a part. @return how many parts of the model are in the file */
    int keepWholeParts(CatalogModel model) throws IOException {
        int numParts = 0;
        while (numParts < model.parts().size() && model.fileBytes(numParts + 1) <= channel.size()) {
            numParts++;
        }
        channel.truncate(model.fileBytes(numParts));
        channel.position(channel.size());
        return numParts;
    }

    /** Appends a part, to the disk itself. @throws UserException if it isn't {@code bytes} long */
    void append(InputStream part, long bytes, String what) throws IOException {
        byte[] buffer = new byte[BUFFER_BYTES];
        long done = 0;
        for (int n = part.read(buffer); n >= 0; n = part.read(buffer)) {
            ByteBuffer piece = ByteBuffer.wrap(buffer, 0, n);
            while (piece.hasRemaining()) {
                channel.write(piece);
            }
            done += n;
        }
        if (done != bytes) {
            throw new UserException(what + " has " + done + " bytes, expected " + bytes + "; it was not taken");
        }
        channel.force(true);
    }

    /** Empties it: what is in it is of no use. */
    void discard() throws IOException {
        channel.truncate(0);
    }

    @Override
    public void close() throws IOException {
        channel.close(); // and with it the lock
    }
}
