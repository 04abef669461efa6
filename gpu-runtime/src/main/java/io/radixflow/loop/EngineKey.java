package io.radixflow.loop;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineOption;
import io.radixflow.engine.EngineOptions;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * What makes two engines interchangeable: the options that an engine is started from, and the files that they name, as they are now.
 *
 * @param texts of the options and of the files, by name
 */
record EngineKey(Map<String, String> texts) {

    /** Read by what stands around an engine, not by the engine. */
    private static final EngineOption<?>[] OF_OTHERS = {
        EngineOptions.SERVED_MODEL_NAME,
        EngineOptions.CHAT_TEMPLATE,
        EngineOptions.REASONING_PARSER,
        EngineOptions.RANDOM_SEED,
        EngineOptions.STREAM_INTERVAL,
        EngineOptions.ENGINE_KEEP_ALIVE,
        EngineOptions.MAX_ENGINE_REBUILDS,
        EngineOptions.ENGINE_REBUILD_WINDOW
    };

    private static final EngineOption<?>[] FILES = {
        EngineOptions.MODEL_PATH, EngineOptions.TOKENIZER_PATH, EngineOptions.TIME_MODEL
    };

    EngineKey {
        texts = Map.copyOf(texts);
    }

    static EngineKey of(EngineConfig config) {
        Map<String, String> texts = new TreeMap<>(config.asMap());
        for (EngineOption<?> option : OF_OTHERS) {
            texts.remove(option.name());
        }
        for (EngineOption<?> option : FILES) {
            String path = texts.get(option.name());
            if (path != null) {
                texts.put("content of " + option.name(), stamp(Path.of(path)));
            }
        }
        return new EngineKey(texts);
    }

    /** Size and time of a file, or of the files in a folder: another model in the same place is another model. */
    private static String stamp(Path path) {
        try {
            if (!Files.isDirectory(path)) {
                return stampOfFile(path);
            }
            Map<String, String> stamps = new TreeMap<>();
            try (DirectoryStream<Path> inside = Files.newDirectoryStream(path, Files::isRegularFile)) {
                for (Path file : inside) {
                    stamps.put(file.getFileName().toString(), stampOfFile(file));
                }
            }
            return stamps.toString();
        } catch (IOException e) {
            throw new EngineException(EngineException.Category.CONFIGURATION, "cannot read " + path + ": " + e, e);
        }
    }

    private static String stampOfFile(Path file) throws IOException {
        return Files.exists(file) ? Files.size(file) + " bytes of " + Files.getLastModifiedTime(file) : "missing";
    }
}
