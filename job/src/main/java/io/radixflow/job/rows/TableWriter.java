package io.radixflow.job.rows;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.Closeable;
import java.io.IOException;
import org.apache.flink.core.fs.FSDataOutputStream;

/** Writes rows of a table as a file. Closing writes what is left and leaves the stream open: it is its owner's. */
public interface TableWriter extends Closeable {

    static TableWriter parquet(FSDataOutputStream out, TableSchema schema) throws IOException {
        return new ParquetTable(out, schema);
    }

    static TableWriter csv(FSDataOutputStream out, TableSchema schema) throws IOException {
        return new CsvTable(out, schema);
    }

    /** @param row a JSON object; values of another type than their column are written as text or left out */
    void write(JsonNode row) throws IOException;

    /** A value as a cell of text. An escape in JSON may name half of a surrogate pair, which UTF-8 can't: a question mark. */
    static String text(JsonNode value) {
        String text = value.isTextual() ? value.textValue() : value.toString();
        return new String(text.getBytes(UTF_8), UTF_8);
    }
}
