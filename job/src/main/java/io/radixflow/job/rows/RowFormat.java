package io.radixflow.job.rows;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The formats of input files. */
public enum RowFormat {
    JSONL,
    CSV,
    PARQUET,
    AVRO;

    private static final List<String> COMPRESSIONS = List.of("", ".gz", ".zst");

    /** The format that a file's name tells, or null. */
    public static @Nullable RowFormat ofFileName(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        for (RowFormat format : values()) {
            for (String extension : format.extensions()) {
                for (String compression : format.isText() ? COMPRESSIONS : List.of("")) {
                    if (lower.endsWith(extension + compression)) {
                        return format;
                    }
                }
            }
        }
        return null;
    }

    /** @throws IllegalArgumentException if there is no such format */
    public static RowFormat ofName(String name) {
        return Arrays.stream(values())
                .filter(format -> format.wireName().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("takes " + names() + ", got '" + name + "'"));
    }

    /** For messages: {@code jsonl, csv, parquet or avro}. */
    public static String names() {
        return Arrays.stream(values())
                .map(RowFormat::wireName)
                .collect(Collectors.joining(", "))
                .replaceFirst(", (\\w+)$", " or $1");
    }

    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    private List<String> extensions() {
        return switch (this) {
            case JSONL -> List.of(".jsonl", ".ndjson");
            case CSV -> List.of(".csv", ".tsv");
            case PARQUET -> List.of(".parquet");
            case AVRO -> List.of(".avro");
        };
    }

    /** Text files may be compressed as a whole; the others compress their parts. */
    boolean isText() {
        return this == JSONL || this == CSV;
    }
}
