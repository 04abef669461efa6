package io.radixflow.job.pipeline;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.radixflow.job.UserException;
import io.radixflow.job.rows.Row;
import io.radixflow.job.rows.RowFormat;
import io.radixflow.job.rows.RowInput;
import io.radixflow.job.rows.RowReader;
import io.radixflow.job.rows.TableReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.jspecify.annotations.Nullable;

/** What earlier runs left in an output folder: the {@code custom_id}s that need no further work. Read as a stream; holds hashes. */
public final class FinishedRows {

    static final String ANSWERS = "answers";
    static final String DEAD_LETTERS = "dead-letters";

    private static final Set<String> WORTH_ANOTHER_TRY = Set.of("engine_error", "request_timeout");
    private static final JsonFactory JSON = new JsonFactory();
    private static final RowInput LINES = new RowInput(RowFormat.JSONL, null, false);

    private final FinishedIds ids = new FinishedIds();
    private long numRows;

    private FinishedRows() {}

    /** Reads all finished part files; a row whose failure may have passed is not counted as finished. */
    public static FinishedRows read(String outputDir) throws IOException {
        FinishedRows finished = new FinishedRows();
        for (Path file : parts(new Path(outputDir))) {
            try (RowReader rows = open(file)) {
                for (Row row = rows.next(); row != null; row = rows.next()) {
                    Result result = Result.of(file, row);
                    if (!result.isWorthAnotherTry()) {
                        finished.add(result);
                    }
                }
            }
        }
        return finished;
    }

    public boolean contains(String customId) {
        return ids.contains(customId);
    }

    public boolean isEmpty() {
        return numRows == 0;
    }

    /** Rows, also those of the same {@code custom_id}. */
    public long numRows() {
        return numRows;
    }

    /** Whether its {@code custom_id} is new here. */
    boolean add(Result result) {
        numRows++;
        return ids.add(result.customId);
    }

    /** Finished part files by name; an absent folder has none. */
    static List<Path> parts(Path outputDir) throws IOException {
        FileSystem files = outputDir.getFileSystem();
        List<Path> parts = new ArrayList<>();
        if (files.exists(outputDir)) {
            for (FileStatus file : files.listStatus(outputDir)) {
                if (!file.isDir() && isPart(file.getPath().getName())) {
                    parts.add(file.getPath());
                }
            }
        }
        parts.sort(Comparator.comparing(Path::getName));
        return parts;
    }

    private static boolean isPart(String name) {
        OutputFormat format = OutputFormat.ofPart(name);
        return format != null
                && name.endsWith(format.suffix())
                && (name.startsWith(ANSWERS) || name.startsWith(DEAD_LETTERS));
    }

    static RowReader open(Path file) throws IOException {
        return switch (format(file)) {
            case JSONL -> LINES.open(file);
            case PARQUET -> TableReader.parquet(file, LabelPlan.finishColumns());
            case CSV -> TableReader.csv(file);
        };
    }

    /** The format of a part file, also of one in the making. */
    static OutputFormat format(Path part) {
        return Objects.requireNonNull(OutputFormat.ofPart(part.getName()), "chosen by its name");
    }

    /** What one row of the output says. */
    record Result(String customId, @Nullable String errorCode) {

        boolean isWorthAnotherTry() {
            return errorCode != null && WORTH_ANOTHER_TRY.contains(errorCode);
        }

        /** @throws UserException if the row is no result */
        static Result of(Path file, Row row) {
            Result result = find(row);
            if (result == null) {
                throw new UserException("row " + row.number() + " of " + file.getPath()
                        + " is no answer of label; move the file out of --output");
            }
            return result;
        }

        /** What the row says, or null if it is no result. */
        static @Nullable Result find(Row row) {
            try {
                return row.problem() == null ? parse(row.value()) : null;
            } catch (IOException e) {
                return null;
            }
        }

        private static Result parse(byte[] value) throws IOException {
            String customId = null;
            String code = null;
            try (JsonParser parser = JSON.createParser(value)) {
                if (parser.nextToken() != JsonToken.START_OBJECT) {
                    throw new IOException("no object");
                }
                for (String field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
                    JsonToken token = parser.nextToken();
                    if (field.equals("custom_id")) {
                        customId = parser.getText();
                    } else if (field.equals("error_code")) {
                        code = token == JsonToken.VALUE_NULL ? null : parser.getText();
                    } else if (field.equals("error") && token == JsonToken.START_OBJECT) {
                        code = code(parser);
                    } else {
                        parser.skipChildren();
                    }
                }
                if (parser.currentToken() != JsonToken.END_OBJECT) {
                    throw new IOException("cut off");
                }
            }
            if (customId == null) {
                throw new IOException("no custom_id");
            }
            return new Result(customId, code);
        }

        private static @Nullable String code(JsonParser parser) throws IOException {
            String code = null;
            for (String field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
                parser.nextToken();
                if (field.equals("code")) {
                    code = parser.getText();
                } else {
                    parser.skipChildren();
                }
            }
            return code;
        }
    }
}
