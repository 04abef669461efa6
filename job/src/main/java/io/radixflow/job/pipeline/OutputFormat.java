package io.radixflow.job.pipeline;

import io.radixflow.job.rows.TableSchema;
import io.radixflow.job.rows.TableWriter;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.jspecify.annotations.Nullable;

/** Formats of output files. */
public enum OutputFormat {
    /** Answers as the API gives them, a line each; dead letters in files of their own. */
    JSONL,
    /** A table with a row for each input row, answered or not. */
    PARQUET,
    /** The same table as text. */
    CSV;

    /** @throws IllegalArgumentException if there is no such format */
    public static OutputFormat ofName(String name) {
        return Arrays.stream(values())
                .filter(format -> format.wireName().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("takes jsonl, parquet or csv, got '" + name + "'"));
    }

    /** The format of an output file, also of one in the making, or null if its name tells none. */
    static @Nullable OutputFormat ofPart(String fileName) {
        for (OutputFormat format : values()) {
            if (fileName.endsWith(format.suffix()) || fileName.contains(format.suffix() + OutputTidy.UNFINISHED)) {
                return format;
            }
        }
        return null;
    }

    public boolean isTable() {
        return this != JSONL;
    }

    String suffix() {
        return "." + wireName();
    }

    private String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** A file of this format, which is a table. */
    TableWriter table(FSDataOutputStream out, TableSchema schema) throws IOException {
        return switch (this) {
            case JSONL -> throw new IllegalStateException("lines are no table");
            case PARQUET -> TableWriter.parquet(out, schema);
            case CSV -> TableWriter.csv(out, schema);
        };
    }
}
