package io.radixflow.model;

import io.radixflow.engine.EngineException;
import io.radixflow.weights.Pieces;
import io.radixflow.weights.TensorData;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;

/** Random tensors of any name and shape, each made when it is asked for: {@code --load-format dummy}. */
final class DummyTensors implements TensorSource {

    /** Numbers that one thread makes at once. */
    private static final int PIECE_LEN = 1 << 18;

    private final Path path;
    private final RandomWeights random;

    /** @param path of the configuration, for messages */
    DummyTensors(Path path, RandomWeights random) {
        this.path = path;
        this.random = random;
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public TensorRole.Naming naming() {
        return TensorRole.Naming.HUGGING_FACE;
    }

    @Override
    public Collection<String> names() {
        return List.of();
    }

    @Override
    public TensorData tensor(String name, int rows, int cols) {
        long bytes = random.type().bytes((long) rows * cols);
        if (bytes > Integer.MAX_VALUE - 8) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    path + " wants tensor '" + name + "' of " + bytes
                            + " bytes, 2 GiB is the limit of one; take a smaller shape or dtype");
        }
        ByteBuffer data = ByteBuffer.allocate((int) bytes).order(ByteOrder.LITTLE_ENDIAN);
        int elementBytes = (int) random.type().bytes(1);
        Pieces.inParallel((int) bytes, PIECE_LEN * elementBytes, (from, end) -> {
            ByteBuffer into = data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
            into.position(from).limit(end);
            random.fill(name, rows, cols, from / elementBytes, into);
        });
        return new TensorData(name, random.type(), rows, cols, data);
    }

    @Override
    public void close() {
        // nothing is open
    }
}
