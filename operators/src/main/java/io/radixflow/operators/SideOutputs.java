package io.radixflow.operators;

import io.radixflow.schemas.DeadLetter;
import io.radixflow.schemas.ErrorCode;
import org.apache.flink.util.OutputTag;

/** What leaves operators beside their main output. */
final class SideOutputs {

    static final OutputTag<DeadLetter> DEAD_LETTERS = new OutputTag<>("dead-letters", RecordTypes.DEAD_LETTER);
    static final OutputTag<ResultRecord> DELTAS = new OutputTag<>("deltas", RecordTypes.RESULT);

    private SideOutputs() {}

    static DeadLetter deadLetter(SourceRecord source, ErrorCode code, String message, String stage) {
        return new DeadLetter(
                source.key(),
                source.value(),
                source.headers(),
                code,
                message,
                stage,
                source.topic(),
                source.partition(),
                source.offset());
    }
}
