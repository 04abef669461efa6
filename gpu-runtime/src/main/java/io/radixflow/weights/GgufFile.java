package io.radixflow.weights;

import io.radixflow.engine.EngineException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * A GGUF file, version 3, little endian [1]: metadata, and tensors mapped into memory one by one when asked for.
 *
 * <p>Nothing read is trusted: {@link #open} checks magic, version, counts, lengths, types, alignment, and that every tensor lies
 * inside the file and apart from the others. Tensors of types that can't be read are listed, and refused only by {@link #tensor}.
 *
 * <p>Immutable and thread-safe. Heap use is bounded by the header's length; tensors take address space only. Buffers handed out stay
 * valid after {@link #close()}; the file must not shrink while they are in use.
 *
 * <p>[1] ggml, docs/gguf.md.
 */
public final class GgufFile implements AutoCloseable {

    private final Path path;
    private final FileChannel channel;
    private final GgufHeader header;

    private GgufFile(Path path, FileChannel channel, GgufHeader header) {
        this.path = path;
        this.channel = channel;
        this.header = header;
    }

    /**
     * Opens a file and checks its header.
     *
     * @throws EngineException of category CONFIGURATION, one line that names the file, what is wrong and what to do
     */
    public static GgufFile open(Path path) {
        if (Files.isDirectory(path)) {
            throw GgufCursor.refusal(path, "is a folder; give a .gguf file");
        }
        FileChannel channel;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    path + " doesn't exist; check the path or fetch the model",
                    e);
        } catch (IOException e) {
            throw unreadable(path, e);
        }
        boolean isOpened = false;
        try {
            long fileBytes = channel.size();
            ByteBuffer headerBytes =
                    channel.map(FileChannel.MapMode.READ_ONLY, 0, Math.min(fileBytes, Integer.MAX_VALUE));
            GgufFile file = new GgufFile(path, channel, GgufHeader.read(path, headerBytes, fileBytes));
            isOpened = true;
            return file;
        } catch (IOException e) {
            throw unreadable(path, e);
        } finally {
            if (!isOpened) {
                closeQuietly(channel);
            }
        }
    }

    public Path path() {
        return path;
    }

    public GgufMetadata metadata() {
        return header.metadata();
    }

    /** All tensors in the file's order, also those that can't be read. */
    public Collection<GgufTensorInfo> tensors() {
        return header.tensors().values();
    }

    /** What the header says of a tensor, or null if there is none of that name. */
    public @Nullable GgufTensorInfo find(String name) {
        return header.tensors().get(name);
    }

    /**
     * Maps one tensor. A vector is one row; dimensions beyond the second count as rows.
     *
     * @throws EngineException of category CONFIGURATION if the tensor is missing, of a type that can't be read, or 2 GiB or larger
     */
    public TensorData tensor(String name) {
        String quoted = GgufCursor.quoted(name);
        GgufTensorInfo info = header.tensors().get(name);
        if (info == null) {
            throw GgufCursor.refusal(path, "lacks tensor " + quoted + "; fetch or convert the model again");
        }
        TensorType type = info.type();
        if (type == null) {
            throw GgufCursor.refusal(
                    path,
                    "has tensor " + quoted + " as " + info.typeName()
                            + ", which isn't supported; take a model in F32, F16, BF16, Q8_0, Q4_0 or Q4_1");
        }
        long bytes = info.numBytes();
        long cols = info.dims().get(0);
        long rows = info.numElements() / cols;
        if (bytes > Integer.MAX_VALUE || cols > Integer.MAX_VALUE || rows > Integer.MAX_VALUE) {
            throw GgufCursor.refusal(
                    path,
                    "has tensor " + quoted + " of " + bytes + " bytes, 2 GiB is the limit of one; take a smaller or a"
                            + " more quantised model");
        }
        try {
            ByteBuffer data = channel.map(FileChannel.MapMode.READ_ONLY, info.offset(), bytes);
            return new TensorData(name, type, (int) rows, (int) cols, data);
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }

    @Override
    public void close() {
        closeQuietly(channel);
    }

    private static EngineException unreadable(Path path, IOException e) {
        return new EngineException(
                EngineException.Category.CONFIGURATION,
                path + " can't be read (" + e.getClass().getSimpleName() + ": " + e.getMessage()
                        + "); check its permissions",
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
