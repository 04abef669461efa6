package io.radixflow.weights;

import io.radixflow.engine.EngineException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tensors of a model's folder: those of {@code model.safetensors}, or of all shards that {@code model.safetensors.index.json} names.
 *
 * <p>Opening opens every shard and checks that index and shards agree on every tensor. Immutable and thread-safe; owns its files.
 */
public final class SafetensorsFolder implements AutoCloseable {

    private static final String INDEX = "model.safetensors.index.json";
    private static final String SINGLE = "model.safetensors";
    private static final String SUFFIX = ".safetensors";
    private static final int MAX_INDEX_BYTES = 1 << 26;
    private static final int MAX_SHARD_NAME_CHARS = 255;

    private final Path folder;
    private final List<SafetensorsFile> shards;
    private final Map<String, SafetensorsFile> shardOf;

    private SafetensorsFolder(Path folder, List<SafetensorsFile> shards, Map<String, SafetensorsFile> shardOf) {
        this.folder = folder;
        this.shards = shards;
        this.shardOf = shardOf;
    }

    /** Whether the folder holds weights that {@link #open} would try to read. */
    public static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(INDEX)) || Files.exists(folder.resolve(SINGLE));
    }

    /**
     * Opens all shards and checks their headers.
     *
     * @throws EngineException of category CONFIGURATION, one line that names the file, what is wrong and what to do
     */
    public static SafetensorsFolder open(Path folder) {
        List<SafetensorsFile> shards = new ArrayList<>();
        boolean isOpened = false;
        try {
            Map<String, SafetensorsFile> shardOf = new LinkedHashMap<>();
            Path index = folder.resolve(INDEX);
            if (Files.exists(index)) {
                openShards(folder, index, shards, shardOf);
            } else if (Files.exists(folder.resolve(SINGLE))) {
                SafetensorsFile single = SafetensorsFile.open(folder.resolve(SINGLE));
                shards.add(single);
                single.names().forEach(name -> shardOf.put(name, single));
            } else {
                throw Refusals.refusal(
                        folder,
                        "holds neither " + INDEX + " nor " + SINGLE + "; fetch the model or give another folder");
            }
            SafetensorsFolder opened = new SafetensorsFolder(folder, shards, shardOf);
            isOpened = true;
            return opened;
        } finally {
            if (!isOpened) {
                shards.forEach(SafetensorsFile::close);
            }
        }
    }

    public Path path() {
        return folder;
    }

    /** Names of all tensors, also of those that can't be read. */
    public List<String> names() {
        return List.copyOf(shardOf.keySet());
    }

    public boolean has(String name) {
        return shardOf.containsKey(name);
    }

    /** As {@link SafetensorsFile#tensor}, from the shard that holds it. */
    public TensorData tensor(String name) {
        SafetensorsFile shard = shardOf.get(name);
        if (shard == null) {
            throw Refusals.refusal(
                    folder, "lacks tensor " + Refusals.quoted(name) + "; fetch or convert the model again");
        }
        return shard.tensor(name);
    }

    @Override
    public void close() {
        shards.forEach(SafetensorsFile::close);
    }

    private static void openShards(
            Path folder, Path index, List<SafetensorsFile> shards, Map<String, SafetensorsFile> shardOf) {
        Map<String, String> shardNames = readIndex(index);
        Map<String, SafetensorsFile> opened = new HashMap<>();
        shardNames.forEach((tensor, shardName) -> {
            SafetensorsFile shard = opened.computeIfAbsent(shardName, name -> {
                SafetensorsFile file = SafetensorsFile.open(folder.resolve(name));
                shards.add(file);
                return file;
            });
            if (!shard.has(tensor)) {
                throw Refusals.refusal(
                        shard.path(),
                        "lacks tensor " + Refusals.quoted(tensor) + " that " + INDEX
                                + " places in it; fetch both again");
            }
            shardOf.put(tensor, shard);
        });
        for (SafetensorsFile shard : shards) {
            for (String tensor : shard.names()) {
                if (shardOf.get(tensor) != shard) {
                    throw Refusals.refusal(
                            shard.path(),
                            "has tensor " + Refusals.quoted(tensor) + " that " + INDEX
                                    + " doesn't place in it; fetch both again");
                }
            }
        }
    }

    /** Tensors' names to their shards' names. */
    private static Map<String, String> readIndex(Path index) {
        Map<String, String> shardNames = new LinkedHashMap<>();
        try (MappedFile file = MappedFile.open(index, ".json");
                JsonCursor json = new JsonCursor(index, text(file))) {
            json.enterObject("its text");
            for (String key = json.nextKey(); key != null; key = json.nextKey()) {
                if (key.equals("weight_map")) {
                    readWeightMap(json, shardNames);
                } else {
                    json.skipValue();
                }
            }
            json.expectEnd("its object");
            if (shardNames.isEmpty()) {
                throw json.refusal("names no tensors in weight_map");
            }
        }
        return shardNames;
    }

    private static void readWeightMap(JsonCursor json, Map<String, String> shardNames) {
        json.enterObject("weight_map");
        for (String tensor = json.nextKey(); tensor != null; tensor = json.nextKey()) {
            String quoted = Refusals.quoted(tensor);
            String shardName = json.string("the shard of tensor " + quoted);
            if (!isShardName(shardName)) {
                throw json.refusal("is damaged: tensor " + quoted + " lies in " + Refusals.quoted(shardName)
                        + ", which is no name of a " + SUFFIX + " file");
            }
            if (shardNames.put(tensor, shardName) != null) {
                throw json.refusal("is damaged: tensor " + quoted + " is there twice");
            }
        }
    }

    /** A plain ASCII name: one that leads out of the folder, or that no file system takes, is nobody's shard. */
    private static boolean isShardName(String name) {
        boolean isPlain = name.endsWith(SUFFIX) && name.length() <= MAX_SHARD_NAME_CHARS;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            isPlain &= c > ' ' && c < 127 && c != '/' && c != '\\';
        }
        return isPlain;
    }

    private static ByteBuffer text(MappedFile file) {
        if (file.bytes() > MAX_INDEX_BYTES) {
            throw Refusals.refusal(
                    file.path(),
                    "is no index of tensors: it has " + file.bytes() + " bytes, " + MAX_INDEX_BYTES
                            + " is the limit; fetch it again");
        }
        return file.mapHead(file.bytes());
    }
}
