package io.radixflow.job.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** What earlier runs left in an output folder: the {@code custom_id}s that need no further work. */
public final class FinishedRows {

    static final String ANSWERS = "answers";
    static final String DEAD_LETTERS = "dead-letters";
    static final String SUFFIX = ".jsonl";

    private static final Set<String> WORTH_ANOTHER_TRY = Set.of("engine_error", "request_timeout");

    private FinishedRows() {}

    /** Reads all finished part files; a row whose failure may have passed is not counted as finished. */
    public static Set<String> read(Path outputDir) throws IOException {
        ObjectMapper json = new ObjectMapper();
        Set<String> ids = new HashSet<>();
        for (Path file : parts(outputDir)) {
            try (BufferedReader lines = Files.newBufferedReader(file)) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    JsonNode row = json.readTree(line);
                    if (!WORTH_ANOTHER_TRY.contains(
                            row.path("error").path("code").asText())) {
                        ids.add(row.path("custom_id").asText());
                    }
                }
            }
        }
        return ids;
    }

    private static List<Path> parts(Path outputDir) throws IOException {
        if (!Files.isDirectory(outputDir)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(outputDir)) {
            return files.filter(FinishedRows::isPart).sorted().toList();
        }
    }

    private static boolean isPart(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(SUFFIX) && (name.startsWith(ANSWERS) || name.startsWith(DEAD_LETTERS));
    }
}
