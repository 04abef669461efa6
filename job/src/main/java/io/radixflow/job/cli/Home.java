package io.radixflow.job.cli;

import java.nio.file.Path;

/** Where the launcher found the project: its models, examples and caches lie there. */
final class Home {

    private Home() {}

    static Path dir() {
        return Path.of(System.getProperty("radixflow.home", ""));
    }

    static Path modelsDir() {
        String dir = System.getProperty("radixflow.models");
        return dir == null ? dir().resolve("models") : Path.of(dir);
    }

    static Path cacheDir() {
        return dir().resolve(".cache");
    }
}
