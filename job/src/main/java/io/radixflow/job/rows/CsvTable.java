package io.radixflow.job.rows;

import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SequenceWriter;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.csv.CsvGenerator;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import java.io.IOException;
import java.io.OutputStream;

/**
 * A table as CSV (RFC 4180, UTF-8): a line with the columns' names, rows ended by CR LF. What has no value is nothing between
 * its commas, an empty text is a pair of quotes. Each row reaches the stream as a whole when it is written.
 */
final class CsvTable implements TableWriter {

    private static final CsvMapper CSV = CsvMapper.csvBuilder()
            .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
            .enable(CsvGenerator.Feature.ALWAYS_QUOTE_EMPTY_STRINGS)
            .build();

    private final TableSchema schema;
    private final SequenceWriter rows;

    CsvTable(OutputStream out, TableSchema schema) throws IOException {
        this.schema = schema;
        CsvSchema.Builder columns = CsvSchema.builder().setLineSeparator("\r\n");
        ObjectNode names = JsonNodeFactory.instance.objectNode();
        for (TableSchema.Column column : schema.columns()) {
            columns.addColumn(column.name());
            names.put(column.name(), column.name());
        }
        rows = CSV.writer(columns.build()).writeValues(out);
        rows.write(names);
    }

    @Override
    public void write(JsonNode row) throws IOException {
        ObjectNode cells = JsonNodeFactory.instance.objectNode();
        for (TableSchema.Column column : schema.columns()) {
            JsonNode value = row.path(column.name());
            if (!value.isMissingNode() && !value.isNull()) {
                cells.put(column.name(), TableWriter.text(value));
            }
        }
        rows.write(cells);
    }

    @Override
    public void close() throws IOException {
        rows.close();
    }
}
