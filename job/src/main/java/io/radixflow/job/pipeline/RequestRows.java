package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.operators.RecordTypes;
import io.radixflow.operators.SourceRecord;
import io.radixflow.schemas.DeadLetter;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.schemas.RecordHeader;
import java.util.List;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;
import org.jspecify.annotations.Nullable;

/**
 * Makes requests of rows: drops those that an earlier run has answered, and lets out as dead letters those that
 * can't be read or lack what the prompt needs.
 */
final class RequestRows extends ProcessFunction<SourceRecord, SourceRecord> {

    static final OutputTag<DeadLetter> UNREADABLE = new OutputTag<>("unreadable-rows", RecordTypes.DEAD_LETTER);

    private static final long serialVersionUID = 1L;
    private static final String STAGE = "read";

    private final LabelPlan plan;
    private transient @Nullable FinishedRows finished;

    RequestRows(LabelPlan plan) {
        this.plan = plan;
    }

    /** Reads the output folder. */
    @Override
    public void open(OpenContext context) throws Exception {
        finished = FinishedRows.read(plan.outputDir());
    }

    @Override
    public void processElement(SourceRecord row, Context context, Collector<SourceRecord> out) {
        String problem = problem(row);
        ObjectNode object = problem == null ? RowsToRequests.parse(row) : null;
        if (finished != null
                && !finished.isEmpty()
                && finished.contains(plan.requests().customId(row, object))) {
            return;
        }
        if (problem == null && object != null) {
            String missing = plan.requests().missing(object);
            problem = missing == null ? null : "the row has no '" + missing + "', which the prompt needs";
        }
        if (problem != null) {
            context.output(UNREADABLE, unreadable(row, object, problem));
        } else {
            out.collect(object == null ? with(row, row.value(), null) : request(row, object));
        }
    }

    private SourceRecord request(SourceRecord row, ObjectNode object) {
        ObjectNode columns = carried(object);
        ObjectNode request = plan.requests().request(row, object);
        return with(row, request.toString().getBytes(UTF_8), columns);
    }

    private ObjectNode carried(ObjectNode row) {
        ObjectNode columns = JsonNodeFactory.instance.objectNode();
        for (LabelPlan.Carried carry : plan.carried()) {
            JsonNode value = row.get(carry.column());
            if (value != null) {
                columns.set(carry.name(), value.deepCopy());
            }
        }
        return columns;
    }

    private static SourceRecord with(SourceRecord row, byte @Nullable [] value, @Nullable ObjectNode columns) {
        RowOrigin origin = new RowOrigin(
                row.topic(), row.offset(), columns == null ? JsonNodeFactory.instance.objectNode() : columns);
        return new SourceRecord(
                row.key(),
                value,
                List.of(origin.header()),
                row.topic(),
                row.partition(),
                row.offset(),
                row.timestamp());
    }

    private static @Nullable String problem(SourceRecord row) {
        for (RecordHeader header : row.headers()) {
            if (header.key().equals(FileRows.PROBLEM_HEADER) && header.value() != null) {
                return new String(header.value(), UTF_8);
            }
        }
        return null;
    }

    private DeadLetter unreadable(SourceRecord row, @Nullable ObjectNode object, String problem) {
        byte[] value = row.value();
        ObjectNode columns = null;
        if (object != null) {
            columns = carried(object);
            object.put("custom_id", plan.requests().customId(row, object));
            value = object.toString().getBytes(UTF_8);
        }
        return new DeadLetter(
                row.key(),
                value,
                with(row, value, columns).headers(),
                ErrorCode.INVALID_REQUEST,
                problem,
                STAGE,
                row.topic(),
                row.partition(),
                row.offset());
    }
}
