package io.radixflow.grammar;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The schemas like those of practice in {@code schemas/} of the test resources, by name. */
final class PracticeSchemas {

    private PracticeSchemas() {}

    static Map<String, String> all() {
        Map<String, String> all = new TreeMap<>();
        try (Stream<Path> files = Files.list(
                Path.of(PracticeSchemas.class.getResource("/schemas/README.md").toURI())
                        .resolveSibling(""))) {
            for (Path file : (Iterable<Path>) files.filter(f -> f.toString().endsWith(".json"))::iterator) {
                String name = String.valueOf(file.getFileName());
                all.put(name.substring(0, name.length() - ".json".length()), Files.readString(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
        return all;
    }
}
