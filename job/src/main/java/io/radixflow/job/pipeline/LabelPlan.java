package io.radixflow.job.pipeline;

import io.radixflow.job.rows.ColumnType;
import io.radixflow.job.rows.RowInput;
import io.radixflow.job.rows.TableSchema;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a labelling job reads and writes.
 *
 * @param inputs URIs of files
 * @param input how they are read
 * @param requests what becomes of a row
 * @param outputDir URI of the folder for answers and dead letters
 * @param outputFormat of its files
 * @param carried columns of the input that go to the output
 * @param answers columns of a table that hold what a JSON answer says
 */
public record LabelPlan(
        List<String> inputs,
        RowInput input,
        RowsToRequests requests,
        String outputDir,
        OutputFormat outputFormat,
        List<Carried> carried,
        AnswerColumns answers)
        implements Serializable {

    /** The output's own columns, as far as a table has them. */
    private static final TableSchema OWN = new TableSchema(List.of(
            new TableSchema.Column("custom_id", ColumnType.TEXT),
            new TableSchema.Column("file", ColumnType.TEXT),
            new TableSchema.Column("row", ColumnType.LONG),
            new TableSchema.Column("text", ColumnType.TEXT),
            new TableSchema.Column("reasoning", ColumnType.TEXT),
            new TableSchema.Column("finish_reason", ColumnType.TEXT),
            new TableSchema.Column("prompt_tokens", ColumnType.LONG),
            new TableSchema.Column("cached_tokens", ColumnType.LONG),
            new TableSchema.Column("completion_tokens", ColumnType.LONG),
            new TableSchema.Column("choices", ColumnType.TEXT),
            new TableSchema.Column("error_code", ColumnType.TEXT),
            new TableSchema.Column("error_message", ColumnType.TEXT)));

    /**
     * A column that goes to the output.
     *
     * @param name in the output
     * @param column in the input
     * @param type in a table
     */
    public record Carried(String name, String column, ColumnType type) implements Serializable {}

    public LabelPlan {
        inputs = List.copyOf(inputs);
        carried = List.copyOf(carried);
    }

    /** Whether a table has such a column of its own. */
    public static boolean isOwnColumn(String name) {
        return OWN.columns().stream().anyMatch(column -> column.name().equals(name));
    }

    /** The columns that tell which rows are finished. */
    static TableSchema finishColumns() {
        return OWN.select("custom_id", "error_code");
    }

    /** The same with these columns for answers. */
    public LabelPlan with(AnswerColumns answerColumns) {
        return new LabelPlan(inputs, input, requests, outputDir, outputFormat, carried, answerColumns);
    }

    /** Names of the columns that a table has. */
    public Set<String> columnNames() {
        return table().columns().stream().map(TableSchema.Column::name).collect(Collectors.toSet());
    }

    /** The output as a table: its own columns, those that are carried along, what the answers say. */
    TableSchema table() {
        List<TableSchema.Column> columns = new ArrayList<>(OWN.columns());
        carried.forEach(carry -> columns.add(new TableSchema.Column(carry.name(), carry.type())));
        answers.columns().forEach(answer -> columns.add(new TableSchema.Column(answer.name(), answer.type())));
        return new TableSchema(columns);
    }
}
