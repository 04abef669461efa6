package io.radixflow.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.engine.EngineException;
import io.radixflow.weights.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.LongConsumer;

/**
 * Writes a model of random weights as transformers would: config.json and safetensors, in shards with an index when it is large.
 *
 * <p>The numbers are streamed through one buffer, never held. They are those of {@code --load-format dummy} for seed 0.
 */
public final class RandomModel {

    /** As large as transformers makes them, so that large models come in several. */
    private static final long MAX_SHARD_BYTES = 5_000_000_000L;

    private static final int BUFFER_BYTES = 1 << 22;

    private record Tensor(String name, int rows, int cols) {}

    private final String config;
    private final RandomWeights random;
    private final long maxShardBytes;
    private final List<List<Tensor>> shards;

    /** @param type F32, F16 or BF16 */
    public RandomModel(RandomShape shape, TensorType type, long seed) {
        this(shape, type, seed, MAX_SHARD_BYTES);
    }

    RandomModel(RandomShape shape, TensorType type, long seed, long maxShardBytes) {
        config = shape.config(type);
        random = new RandomWeights(seed, type);
        this.maxShardBytes = maxShardBytes;
        shards = shards(HuggingFaceConfig.read(ConfigJson.parse(config, shape.toString())));
    }

    /** Bytes of all weights. */
    public long numBytes() {
        long bytes = 0;
        for (List<Tensor> shard : shards) {
            bytes += bytes(shard);
        }
        return bytes;
    }

    /**
     * Writes the files into {@code folder}, which must not exist or be empty.
     *
     * @param progress hears how many bytes of weights are written
     * @throws EngineException of category CONFIGURATION, one line that names the folder, if it can't be written
     */
    public void write(Path folder, LongConsumer progress) {
        try {
            Files.createDirectories(folder);
            try (var entries = Files.list(folder)) {
                if (entries.findAny().isPresent()) {
                    throw refusal(folder, "is not empty; give a new folder");
                }
            }
            long usable = Files.getFileStore(folder).getUsableSpace();
            if (usable < numBytes()) {
                throw refusal(folder, "has room for " + usable + " bytes, the model takes " + numBytes());
            }
            long done = 0;
            for (int shard = 0; shard < shards.size(); shard++) {
                done = writeShard(folder.resolve(shardName(shard)), shards.get(shard), done, progress);
            }
            if (shards.size() > 1) {
                Files.writeString(folder.resolve("model.safetensors.index.json"), index());
            }
            // last, so that a folder left half-written is no model
            Files.writeString(folder.resolve(HuggingFaceFolder.CONFIG), config);
        } catch (IOException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION, folder + " can't be written (" + e + ")", e);
        }
    }

    private long writeShard(Path file, List<Tensor> tensors, long doneBefore, LongConsumer progress)
            throws IOException {
        byte[] header = header(tensors);
        ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        long done = doneBefore;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            writeFully(channel, length.putLong(header.length).flip());
            writeFully(channel, ByteBuffer.wrap(header));
            for (Tensor tensor : tensors) {
                long end = bytes(tensor);
                for (long at = 0; at < end; at += buffer.limit()) {
                    buffer.clear().limit((int) Math.min(BUFFER_BYTES, end - at));
                    long firstNumber = at / random.type().blockBytes();
                    random.fill(tensor.name, tensor.rows, tensor.cols, firstNumber, buffer);
                    writeFully(channel, buffer.flip());
                    progress.accept(done + at + buffer.limit());
                }
                done += end;
            }
        }
        return done;
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** JSON, padded with blanks to a multiple of eight as the format's own writer does. */
    private byte[] header(List<Tensor> tensors) {
        ObjectNode header = new ObjectMapper().createObjectNode();
        header.putObject("__metadata__").put("format", "pt");
        long from = 0;
        for (Tensor tensor : tensors) {
            ObjectNode entry = header.putObject(tensor.name);
            entry.put("dtype", random.type().toString());
            if (tensor.rows == 1) {
                entry.putArray("shape").add(tensor.cols);
            } else {
                entry.putArray("shape").add(tensor.rows).add(tensor.cols);
            }
            entry.putArray("data_offsets").add(from).add(from + bytes(tensor));
            from += bytes(tensor);
        }
        String text = header.toString();
        return (text + " ".repeat((8 - text.length() % 8) % 8)).getBytes(StandardCharsets.US_ASCII);
    }

    private String index() {
        ObjectNode index = new ObjectMapper().createObjectNode();
        index.putObject("metadata").put("total_size", numBytes());
        ObjectNode map = index.putObject("weight_map");
        for (int shard = 0; shard < shards.size(); shard++) {
            for (Tensor tensor : shards.get(shard)) {
                map.put(tensor.name, shardName(shard));
            }
        }
        return index.toPrettyString() + "\n";
    }

    private String shardName(int shard) {
        return shards.size() == 1
                ? "model.safetensors"
                : String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", shard + 1, shards.size());
    }

    private List<List<Tensor>> shards(ModelConfig model) {
        List<List<Tensor>> all = new ArrayList<>();
        List<Tensor> shard = new ArrayList<>();
        long shardBytes = 0;
        for (Tensor tensor : tensors(model)) {
            if (!shard.isEmpty() && shardBytes + bytes(tensor) > maxShardBytes) {
                all.add(shard);
                shard = new ArrayList<>();
                shardBytes = 0;
            }
            shard.add(tensor);
            shardBytes += bytes(tensor);
        }
        all.add(shard);
        return all;
    }

    private static List<Tensor> tensors(ModelConfig model) {
        List<Tensor> tensors = new ArrayList<>();
        for (int layer = 0; layer < model.numLayers(); layer++) {
            for (TensorRole role : TensorRole.values()) {
                if (role.isIn(model) && (role.isOfLayer() || layer == 0)) {
                    String name = role.name(TensorRole.Naming.HUGGING_FACE, layer);
                    tensors.add(new Tensor(name, role.rows(model), role.cols(model)));
                }
            }
        }
        return tensors;
    }

    private long bytes(Tensor tensor) {
        return random.type().bytes((long) tensor.rows * tensor.cols);
    }

    private long bytes(List<Tensor> tensors) {
        long bytes = 0;
        for (Tensor tensor : tensors) {
            bytes += bytes(tensor);
        }
        return bytes;
    }

    private static EngineException refusal(Path folder, String what) {
        return new EngineException(EngineException.Category.CONFIGURATION, folder + " " + what);
    }
}
