package io.radixflow.weights;

import io.radixflow.engine.EngineException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A weight file open for reading, whose parts are mapped when asked for, so that its length is no limit.
 *
 * <p>Thread-safe. Buffers handed out take address space only and stay valid after {@link #close()}; the file must not shrink while
 * they are in use. Every method throws {@link EngineException} of category CONFIGURATION, one line that names the file.
 */
final class MappedFile implements AutoCloseable {

    private final Path path;
    private final FileChannel channel;
    private final long bytes;

    private MappedFile(Path path, FileChannel channel, long bytes) {
        this.path = path;
        this.channel = channel;
        this.bytes = bytes;
    }

    /** @param suffix how files of the wanted format end, for the words that a folder is answered with */
    static MappedFile open(Path path, String suffix) {
        if (Files.isDirectory(path)) {
            throw Refusals.refusal(path, "is a folder; give a " + suffix + " file");
        }
        FileChannel channel;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            throw Refusals.refusal(path, "doesn't exist; check the path or fetch the model", e);
        } catch (IOException e) {
            throw unreadable(path, e);
        }
        try {
            return new MappedFile(path, channel, channel.size());
        } catch (IOException e) {
            closeQuietly(channel);
            throw unreadable(path, e);
        }
    }

    Path path() {
        return path;
    }

    /** The file's length. */
    long bytes() {
        return bytes;
    }

    /** The file's first bytes, {@code most} of them or all there are. */
    ByteBuffer mapHead(long most) {
        return map(0, Math.min(bytes, Math.min(most, Integer.MAX_VALUE)));
    }

    /** Maps one tensor whose place was checked against {@link #bytes()}; refuses one of 2 GiB or more. */
    TensorData tensor(String name, TensorType type, long rows, long cols, long offset) {
        long tensorBytes = type.bytes(rows * cols);
        if (tensorBytes > Integer.MAX_VALUE || cols > Integer.MAX_VALUE || rows > Integer.MAX_VALUE) {
            throw Refusals.refusal(
                    path,
                    "has tensor " + Refusals.quoted(name) + " of " + tensorBytes + " bytes, 2 GiB is the limit of one;"
                            + " take a smaller or a more quantised model");
        }
        return new TensorData(name, type, (int) rows, (int) cols, map(offset, tensorBytes));
    }

    @Override
    public void close() {
        closeQuietly(channel);
    }

    private ByteBuffer map(long offset, long length) {
        try {
            return channel.map(FileChannel.MapMode.READ_ONLY, offset, length);
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }

    private static EngineException unreadable(Path path, IOException e) {
        return Refusals.refusal(
                path,
                "can't be read (" + e.getClass().getSimpleName() + ": " + e.getMessage() + "); check its permissions",
                e);
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // only read from: nothing can be lost, and the caller has no better answer
            assert !channel.isOpen();
        }
    }
}
