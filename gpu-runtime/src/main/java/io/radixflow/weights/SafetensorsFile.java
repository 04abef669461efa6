package io.radixflow.weights;

import io.radixflow.engine.EngineException;
import java.nio.file.Path;
import java.util.List;

/**
 * A safetensors file [1]: named tensors, mapped into memory one by one when asked for.
 *
 * <p>Nothing read is trusted: {@link #open} checks the header's length, its JSON, names, shapes, dtypes' sizes, and that the tensors cover
 * the rest of the file without overlap or gap. Tensors of dtypes that can't be read are listed, and refused only by {@link #tensor}.
 *
 * <p>Immutable and thread-safe. Heap use is a small multiple of the header's length; tensors take address space only. Buffers handed out
 * stay valid after {@link #close()}; the file must not shrink while they are in use.
 *
 * <p>[1] Hugging Face, safetensors, "Format".
 */
public final class SafetensorsFile implements AutoCloseable {

    private final MappedFile file;
    private final SafetensorsHeader header;

    private SafetensorsFile(MappedFile file, SafetensorsHeader header) {
        this.file = file;
        this.header = header;
    }

    /**
     * Opens a file and checks its header.
     *
     * @throws EngineException of category CONFIGURATION, one line that names the file, what is wrong and what to do
     */
    public static SafetensorsFile open(Path path) {
        MappedFile file = MappedFile.open(path, ".safetensors");
        boolean isOpened = false;
        try {
            SafetensorsFile opened = new SafetensorsFile(
                    file, SafetensorsHeader.read(path, file.mapHead(SafetensorsHeader.MOST_BYTES), file.bytes()));
            isOpened = true;
            return opened;
        } finally {
            if (!isOpened) {
                file.close();
            }
        }
    }

    public Path path() {
        return file.path();
    }

    /** Names of all tensors in the file's order, also of those that can't be read. */
    public List<String> names() {
        return List.copyOf(header.tensors().keySet());
    }

    public boolean has(String name) {
        return header.tensors().containsKey(name);
    }

    /**
     * Maps one tensor. A vector (and a scalar) is one row; dimensions before the last count as rows.
     *
     * @throws EngineException of category CONFIGURATION if the tensor is missing, empty, of a dtype that can't be read, or 2 GiB or larger
     */
    public TensorData tensor(String name) {
        SafetensorsEntry entry = header.tensors().get(name);
        String quoted = Refusals.quoted(name);
        if (entry == null) {
            throw Refusals.refusal(path(), "lacks tensor " + quoted + "; fetch or convert the model again");
        }
        TensorType type = entry.type();
        if (type == null) {
            throw Refusals.refusal(
                    path(),
                    "has tensor " + quoted + " as " + Refusals.quoted(entry.dtype())
                            + ", which isn't supported; take a model in F32, F16 or BF16");
        }
        long numElements = entry.numElements();
        if (numElements == 0) {
            throw Refusals.refusal(path(), "has nothing in tensor " + quoted + "; fetch or convert the model again");
        }
        long cols = entry.cols();
        return file.tensor(name, type, numElements / cols, cols, header.dataStart() + entry.from());
    }

    @Override
    public void close() {
        file.close();
    }
}
