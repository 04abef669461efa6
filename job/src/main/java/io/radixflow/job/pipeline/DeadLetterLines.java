package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.operators.SourceRecord;
import io.radixflow.schemas.DeadLetter;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.flink.api.common.serialization.Encoder;

/** A dead letter as a line: {@code custom_id}, {@code error} and the row as it was given to the engine. */
final class DeadLetterLines implements Encoder<DeadLetter> {

    private static final long serialVersionUID = 1L;
    private static final ObjectMapper JSON = new ObjectMapper();

    @Override
    public void encode(DeadLetter letter, OutputStream out) throws IOException {
        SourceRecord row = new SourceRecord(
                letter.key(),
                letter.value(),
                letter.headers(),
                letter.topic(),
                letter.partition(),
                letter.offset(),
                SourceRecord.NO_TIMESTAMP);
        ObjectNode line = JSON.createObjectNode();
        line.put("custom_id", RowsToRequests.customId(row));
        ObjectNode error = line.putObject("error");
        error.put("code", letter.code().wireName());
        error.put("message", letter.message());
        error.put("stage", letter.stage());
        error.put("file", letter.topic());
        error.put("line", letter.offset());
        line.put("input", letter.value() == null ? null : new String(letter.value(), UTF_8));
        out.write(JSON.writeValueAsBytes(line));
        out.write('\n');
    }
}
