package io.radixflow.job.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.job.rows.BrokenFileException;
import io.radixflow.job.rows.Row;
import io.radixflow.job.rows.RowFormat;
import io.radixflow.job.rows.RowInput;
import io.radixflow.job.rows.RowReader;
import io.radixflow.job.rows.TableReader;
import io.radixflow.job.rows.TableSchema;
import io.radixflow.job.rows.TableWriter;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.jspecify.annotations.Nullable;

/**
 * Puts an output folder in order before a run that starts from its finished rows: whole answers in part files that a killed run
 * left unfinished become a part file, and rows whose failure may have passed leave theirs, since they are tried again.
 */
public final class OutputTidy {

    static final String UNFINISHED = ".inprogress.";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path outputDir;
    private final FileSystem files;
    private long numRescued;
    private long numRetried;

    private OutputTidy(Path outputDir) throws IOException {
        this.outputDir = outputDir;
        files = outputDir.getFileSystem();
    }

    /** Tidies the folder; says what it did, in lines. */
    public static List<String> run(String outputDir) throws IOException {
        OutputTidy tidy = new OutputTidy(new Path(outputDir));
        for (Path part : FinishedRows.parts(tidy.outputDir)) {
            tidy.dropRetried(part);
        }
        FinishedRows finished = FinishedRows.read(outputDir);
        for (Path leftover : tidy.leftovers()) {
            tidy.rescue(leftover, finished);
            tidy.files.delete(leftover, false);
        }
        List<String> lines = new ArrayList<>();
        if (tidy.numRescued > 0) {
            lines.add(tidy.numRescued + " rows taken from part files that a killed run left unfinished");
        }
        if (tidy.numRetried > 0) {
            lines.add(tidy.numRetried + " rows whose failure may have passed are tried again");
        }
        return lines;
    }

    /** Deletes what no checkpoint needs any more: unfinished part files, after a run that ended well. */
    public static void deleteLeftovers(String outputDir) throws IOException {
        OutputTidy tidy = new OutputTidy(new Path(outputDir));
        for (Path leftover : tidy.leftovers()) {
            tidy.files.delete(leftover, false);
        }
    }

    private List<Path> leftovers() throws IOException {
        List<Path> leftovers = new ArrayList<>();
        for (FileStatus file : files.listStatus(outputDir)) {
            String name = file.getPath().getName();
            if (name.startsWith(".") && name.contains(UNFINISHED) && OutputFormat.ofPart(name) != null) {
                leftovers.add(file.getPath());
            }
        }
        return leftovers;
    }

    private void dropRetried(Path part) throws IOException {
        OutputFormat format = FinishedRows.format(part);
        boolean mayHold = format.isTable() || part.getName().startsWith(FinishedRows.DEAD_LETTERS);
        long retried = mayHold ? countRetried(part) : 0;
        if (retried == 0) {
            return;
        }
        Path kept = newPart(part, format);
        try (RowReader rows = open(part, format);
                Part out = new Part(kept, format, schema(part, format))) {
            for (Row row = rows.next(); row != null; row = rows.next()) {
                if (!FinishedRows.Result.of(part, row).isWorthAnotherTry()) {
                    out.write(row.value());
                }
            }
        }
        numRetried += retried;
        files.rename(kept, part);
    }

    private static long countRetried(Path part) throws IOException {
        long retried = 0;
        try (RowReader rows = FinishedRows.open(part)) {
            for (Row row = rows.next(); row != null; row = rows.next()) {
                retried += FinishedRows.Result.of(part, row).isWorthAnotherTry() ? 1 : 0;
            }
        }
        return retried;
    }

    /** Whole rows of a file that was being written; its last line, or a table without its foot, is nothing yet. */
    private void rescue(Path leftover, FinishedRows finished) throws IOException {
        OutputFormat format = FinishedRows.format(leftover);
        Path rescued = newPart(leftover, format);
        long found = 0;
        try (RowReader rows = wholeRows(leftover, format);
                Part out = new Part(rescued, format, schema(leftover, format))) {
            for (Row row = rows.next(); row != null; row = rows.next()) {
                FinishedRows.Result result = FinishedRows.Result.find(row);
                if (result != null && !result.isWorthAnotherTry() && finished.add(result)) {
                    out.write(row.value());
                    found++;
                }
            }
        } catch (BrokenFileException e) {
            found = 0;
        }
        if (found > 0) {
            files.rename(rescued, new Path(outputDir, rescued.getName().substring(1)));
            numRescued += found;
        } else {
            files.delete(rescued, false);
        }
    }

    private static RowReader open(Path file, OutputFormat format) throws IOException {
        return switch (format) {
            case JSONL -> new RowInput(RowFormat.JSONL, null, false).open(file);
            case PARQUET -> new RowInput(RowFormat.PARQUET, null, false).open(file);
            case CSV -> TableReader.csv(file);
        };
    }

    /** A cut line of CSV may look whole, unlike one of JSON, so a row counts only if something follows it. */
    private static RowReader wholeRows(Path leftover, OutputFormat format) throws IOException {
        RowReader rows = open(leftover, format);
        return format == OutputFormat.CSV ? new FollowedRows(rows) : rows;
    }

    /** Null if the format has none. */
    private static @Nullable TableSchema schema(Path file, OutputFormat format) throws IOException {
        if (!format.isTable()) {
            return null;
        }
        RowFormat rows = format == OutputFormat.CSV ? RowFormat.CSV : RowFormat.PARQUET;
        List<TableSchema.Column> columns = new ArrayList<>();
        new RowInput(rows, null, false)
                .columns(file)
                .forEach((name, type) -> columns.add(new TableSchema.Column(name, type)));
        return new TableSchema(columns);
    }

    /** The hidden name of a part file in the making. */
    private Path newPart(Path like, OutputFormat format) {
        String prefix =
                like.getName().contains(FinishedRows.DEAD_LETTERS) ? FinishedRows.DEAD_LETTERS : FinishedRows.ANSWERS;
        return new Path(outputDir, "." + prefix + "-" + UUID.randomUUID() + format.suffix());
    }

    /** A part file, written row by row. */
    private static final class Part implements Closeable {

        private final FSDataOutputStream out;
        private final @Nullable TableWriter table;

        Part(Path file, OutputFormat format, @Nullable TableSchema schema) throws IOException {
            out = file.getFileSystem().create(file, FileSystem.WriteMode.OVERWRITE);
            table = schema == null ? null : format.table(out, schema);
        }

        void write(byte[] row) throws IOException {
            if (table == null) {
                out.write(row);
                out.write('\n');
            } else {
                JsonNode values = JSON.readTree(row);
                table.write(values);
            }
        }

        @Override
        public void close() throws IOException {
            try (out) {
                if (table != null) {
                    table.close();
                }
            }
        }
    }
}
