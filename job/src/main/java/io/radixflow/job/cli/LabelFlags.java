package io.radixflow.job.cli;

import io.radixflow.engine.JsonStyle;
import io.radixflow.job.UserException;
import io.radixflow.job.pipeline.AnswerColumns;
import io.radixflow.job.pipeline.LabelPlan;
import io.radixflow.job.pipeline.OutputFormat;
import io.radixflow.job.pipeline.RowsToRequests;
import io.radixflow.job.rows.ColumnType;
import io.radixflow.job.rows.RowFormat;
import io.radixflow.job.rows.RowInput;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Flags that say what {@code label} reads, asks and writes. */
final class LabelFlags {

    @Option(
            names = "--input",
            required = true,
            paramLabel = "PATH",
            description =
                    "File of rows (JSONL, CSV, Parquet or Avro by its name, JSONL and CSV also as .gz or .zst), or folder"
                            + " of such; may be repeated.")
    private List<Path> inputs = List.of();

    @Option(
            names = "--input-format",
            paramLabel = "jsonl|csv|parquet|avro",
            description = "Format of all input files (default: what their names tell).")
    private @Nullable String inputFormat;

    @Option(
            names = "--csv-delimiter",
            paramLabel = "CHAR",
            description = "Between the values of a CSV row (default: a comma, in .tsv files a tab); \\t is a tab.")
    private @Nullable String csvDelimiter;

    @Option(
            names = "--prompt-column",
            paramLabel = "COLUMN",
            description = "Column (field) of each row whose text is the prompt.")
    private @Nullable String promptColumn;

    @Option(
            names = "--prompt-template",
            paramLabel = "TEXT",
            description =
                    "Prompt with {column} placeholders. Without this and --prompt-column a row is a body or a Batch line"
                            + " itself.")
    private @Nullable String promptTemplate;

    @Option(
            names = "--id-column",
            paramLabel = "COLUMN",
            description =
                    "Column with the custom_id of each row, which must be its own (default: custom_id, or file:row).")
    private @Nullable String idColumn;

    @Option(
            names = "--defaults",
            paramLabel = "JSON",
            description =
                    "Fields for each request that does not have them, such as '{\"max_tokens\": 8, \"temperature\": 0}'.")
    private @Nullable String defaults;

    @Option(
            names = "--schema",
            paramLabel = "FILE",
            description = {
                "JSON Schema that each answer is an instance of, unless the row says itself what its answer is. A table gets a",
                "column for each property."
            })
    private @Nullable Path schema;

    @Option(
            names = "--output",
            required = true,
            paramLabel = "DIR",
            description = "Folder for answers and dead letters. A second run goes on with what is missing in it.")
    @SuppressWarnings("NullAway.Init") // picocli refuses a command line without it
    private Path outputDir;

    @Option(
            names = "--output-format",
            paramLabel = "jsonl|parquet|csv",
            defaultValue = "jsonl",
            description = {
                "jsonl: the API's objects, dead letters in files of their own. parquet, csv: a table with the answers' texts and",
                "a row for each input row, answered or not. Default: ${DEFAULT-VALUE}"
            })
    private String outputFormat = "jsonl";

    /** In which order rows are answered. */
    enum RowOrder {
        /** As they come, in windows of --prefix-window-records. */
        input,
        /** Rows whose prompts begin alike one after the other. */
        prefix
    }

    @Option(
            names = "--order",
            paramLabel = "input|prefix",
            description = {
                "input: rows as they come, sorted within windows of --prefix-window-records; answers appear at once. prefix: all rows",
                "are prepared and sorted by their prompts first, so that each shared prefix is computed about once; the first",
                "answer waits for the sort, which needs about the input's size on disk. Default: input"
            })
    private RowOrder order = RowOrder.input;

    @Option(
            names = "--output-columns",
            paramLabel = "[NAME=]COLUMN",
            split = ",",
            description = "Columns of the input that go to the output, under another name if one is given.")
    private List<String> outputColumns = List.of();

    @Option(
            names = "--mode",
            paramLabel = "streaming|batch",
            defaultValue = "streaming",
            description = {
                "streaming: with checkpoints; a run that was killed goes on within answers. batch: Flink's BATCH mode, without",
                "checkpoints; a run that was killed goes on with whole answers. Default: ${DEFAULT-VALUE}"
            })
    private String mode = "streaming";

    @Option(
            names = "--report",
            paramLabel = "DIR",
            description = "Folder for report.json and report.html, a page with plots (default: --output).")
    private @Nullable Path reportDir;

    Path reportDir() {
        return reportDir == null ? outputDir : reportDir;
    }

    /** @throws UserException if there is no such mode */
    boolean isBatch() {
        return switch (mode) {
            case "streaming" -> false;
            case "batch" -> true;
            default -> throw new UserException("--mode takes streaming or batch, got '" + mode + "'");
        };
    }

    /** The files that the flags name. */
    LabelInputs inputs() {
        return LabelInputs.find(
                inputs, new RowInput(inputFormat(), delimiter(), requests(null).isBody()));
    }

    boolean isInPrefixOrder() {
        return order == RowOrder.prefix;
    }

    Path outputDir() {
        return outputDir;
    }

    /** @throws UserException if a flag is wrong, or a column that is named isn't there */
    LabelPlan plan(LabelInputs files) {
        AnswerSchema answers = schema == null ? null : AnswerSchema.read(schema);
        RowsToRequests requests = requests(answers);
        Map<String, ColumnType> columns = files.columns();
        for (String column : requests.columns()) {
            files.checkHas(column, "the prompt or --id-column");
        }
        LabelPlan plan = new LabelPlan(
                files.uris(),
                files.input(),
                requests,
                outputDir.toAbsolutePath().toUri().toString(),
                outputFormat(),
                carried(files, columns),
                AnswerColumns.NONE);
        return answers == null || !plan.outputFormat().isTable()
                ? plan
                : plan.with(answers.columns(plan.columnNames()));
    }

    private List<LabelPlan.Carried> carried(LabelInputs files, Map<String, ColumnType> columns) {
        List<LabelPlan.Carried> carried = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (String text : outputColumns) {
            int equals = text.indexOf('=');
            String column = text.substring(equals + 1);
            String name = equals < 0 ? column : text.substring(0, equals);
            files.checkHas(column, "--output-columns");
            if (LabelPlan.isOwnColumn(name) || !names.add(name)) {
                throw new UserException("--output-columns: the output has a column '" + name
                        + "' already; give this one another name, such as input_" + name + "=" + column);
            }
            carried.add(new LabelPlan.Carried(name, column, columns.getOrDefault(column, ColumnType.TEXT)));
        }
        return carried;
    }

    /** @throws UserException if the schema can't be enforced in the style */
    void checkSchema(JsonStyle style) {
        if (schema != null) {
            AnswerSchema.check(schema, style);
        }
    }

    private RowsToRequests requests(@Nullable AnswerSchema answers) {
        if (promptColumn != null && promptTemplate != null) {
            throw new UserException("--prompt-column and --prompt-template exclude each other; give one of them");
        }
        try {
            return new RowsToRequests(
                    promptColumn, promptTemplate, idColumn, answers == null ? defaults : answers.addTo(defaults));
        } catch (IllegalArgumentException e) {
            throw new UserException("--defaults takes a JSON object: " + e.getMessage(), e);
        }
    }

    private @Nullable RowFormat inputFormat() {
        try {
            return inputFormat == null ? null : RowFormat.ofName(inputFormat);
        } catch (IllegalArgumentException e) {
            throw new UserException("--input-format " + e.getMessage(), e);
        }
    }

    private OutputFormat outputFormat() {
        try {
            return OutputFormat.ofName(outputFormat);
        } catch (IllegalArgumentException e) {
            throw new UserException("--output-format " + e.getMessage(), e);
        }
    }

    private @Nullable Character delimiter() {
        if (csvDelimiter == null) {
            return null;
        }
        String delimiter = csvDelimiter.equals("\\t") ? "\t" : csvDelimiter;
        if (delimiter.length() != 1 || "\"\n\r".contains(delimiter)) {
            throw new UserException("--csv-delimiter takes one character, no quote, got '" + csvDelimiter + "'");
        }
        return delimiter.charAt(0);
    }
}
