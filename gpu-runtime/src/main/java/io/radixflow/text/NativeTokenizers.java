package io.radixflow.text;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Loads DJL's native tokenizer library, once for each class loader.
 *
 * <p>We call its JNI class directly: DJL's own front reports its use to a server, and copies offsets, masks and texts of every token out of
 * native memory where we want ids. Left alone, its loader would look for a CUDA build to download and unpack into the home folder, under a
 * path that a second class loader of the same JVM can't load again, as a job resubmitted to a session cluster must. So the library is
 * unpacked into a fresh private temporary folder, which is deleted as soon as it is loaded.
 */
final class NativeTokenizers {

    private static final String OFFLINE = "ai.djl.offline";
    private static final String UNPACK_DIR = "ENGINE_CACHE_DIR";
    private static final @Nullable String FAILURE = load();

    private NativeTokenizers() {}

    /** @throws EngineException of category CONFIGURATION, if the library can't be loaded */
    static TokenizersLibrary library() {
        if (FAILURE != null) {
            throw new EngineException(
                    Category.CONFIGURATION,
                    "the native tokenizer library can't be loaded from the temporary folder "
                            + System.getProperty("java.io.tmpdir") + ": " + FAILURE);
        }
        return TokenizersLibrary.LIB;
    }

    /** What went wrong, or null. */
    private static @Nullable String load() {
        // The loader takes its settings from system properties, which all class loaders share; so is this lock.
        synchronized (Runtime.getRuntime()) {
            String offline = System.getProperty(OFFLINE);
            String unpackDir = System.getProperty(UNPACK_DIR);
            Path folder = null;
            try {
                folder = Files.createTempDirectory("radixflow-tokenizers");
                System.setProperty(OFFLINE, "true");
                System.setProperty(UNPACK_DIR, folder.toString());
                LibUtils.checkStatus();
                return null;
            } catch (IOException | RuntimeException | LinkageError e) {
                return e.getCause() == null ? e.toString() : e + ": " + e.getCause();
            } finally {
                restore(OFFLINE, offline);
                restore(UNPACK_DIR, unpackDir);
                delete(folder);
            }
        }
    }

    private static void restore(String property, @Nullable String value) {
        if (value == null) {
            System.clearProperty(property);
        } else {
            System.setProperty(property, value);
        }
    }

    /** A loaded library stays mapped without its file. What can't be deleted is left to the system's cleaning of temporary files. */
    private static void delete(@Nullable Path folder) {
        if (folder == null) {
            return;
        }
        try (Stream<Path> walk = Files.walk(folder)) {
            List<File> deepestFirst =
                    walk.sorted(Comparator.reverseOrder()).map(Path::toFile).toList();
            for (File file : deepestFirst) {
                if (!file.delete()) {
                    file.deleteOnExit();
                }
            }
        } catch (IOException e) {
            folder.toFile().deleteOnExit();
        }
    }
}
