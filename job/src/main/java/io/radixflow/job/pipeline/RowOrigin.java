package io.radixflow.job.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.schemas.RecordHeader;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a request came from and what of its row goes to the output; it travels in a header.
 *
 * @param file name of the input file
 * @param row its number in the file
 * @param columns that are carried along, by their names in the output; may be empty
 */
record RowOrigin(String file, long row, ObjectNode columns) {

    private static final String HEADER = "radixflow.row";
    private static final ObjectMapper JSON = new ObjectMapper();

    RecordHeader header() {
        ObjectNode object = JSON.createObjectNode();
        object.put("file", file);
        object.put("row", row);
        object.set("columns", columns);
        try {
            return new RecordHeader(HEADER, JSON.writeValueAsBytes(object));
        } catch (IOException e) {
            throw new IllegalStateException("a tree is always JSON", e);
        }
    }

    /** What the headers say, or null. */
    static @Nullable RowOrigin of(List<RecordHeader> headers) {
        for (RecordHeader header : headers) {
            if (header.key().equals(HEADER) && header.value() != null) {
                return parse(header.value());
            }
        }
        return null;
    }

    private static RowOrigin parse(byte[] value) {
        try {
            JsonNode object = JSON.readTree(value);
            return new RowOrigin(
                    object.path("file").asText(),
                    object.path("row").asLong(),
                    object.path("columns") instanceof ObjectNode columns ? columns : JSON.createObjectNode());
        } catch (IOException e) {
            throw new IllegalStateException("a header that we wrote is no JSON", e);
        }
    }
}
