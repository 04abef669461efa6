package io.radixflow.weights;

import io.radixflow.engine.EngineException;
import java.nio.file.Path;
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

    private final MappedFile file;
    private final GgufHeader header;

    private GgufFile(MappedFile file, GgufHeader header) {
        this.file = file;
        this.header = header;
    }

    /**
     * Opens a file and checks its header.
     *
     * @throws EngineException of category CONFIGURATION, one line that names the file, what is wrong and what to do
     */
    public static GgufFile open(Path path) {
        MappedFile file = MappedFile.open(path, ".gguf");
        boolean isOpened = false;
        try {
            GgufFile gguf = new GgufFile(file, GgufHeader.read(path, file.mapHead(Integer.MAX_VALUE), file.bytes()));
            isOpened = true;
            return gguf;
        } finally {
            if (!isOpened) {
                file.close();
            }
        }
    }

    public Path path() {
        return file.path();
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
        String quoted = Refusals.quoted(name);
        GgufTensorInfo info = header.tensors().get(name);
        if (info == null) {
            throw Refusals.refusal(path(), "lacks tensor " + quoted + "; fetch or convert the model again");
        }
        TensorType type = info.type();
        if (type == null) {
            throw Refusals.refusal(
                    path(),
                    "has tensor " + quoted + " as " + info.typeName() + ", which isn't supported; take a model in "
                            + TensorType.names());
        }
        long cols = info.dims().get(0);
        return file.tensor(name, type, info.numElements() / cols, cols, info.offset());
    }

    @Override
    public void close() {
        file.close();
    }
}
