package io.radixflow.operators;

import io.radixflow.schemas.DeadLetter;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/** Flink's types of the records between our operators, sources and sinks; none falls back to generic serialization. */
public final class RecordTypes {

    public static final TypeInformation<SourceRecord> SOURCE =
            new RecordTypeInfo<>(SourceRecord.class, new SourceRecordSerializer());
    public static final TypeInformation<PreparedRequest> PREPARED =
            new RecordTypeInfo<>(PreparedRequest.class, new PreparedRequestSerializer());
    static final TypeInformation<RoutedRequest> ROUTED =
            new RecordTypeInfo<>(RoutedRequest.class, new RoutedRequestSerializer());
    public static final TypeInformation<ResultRecord> RESULT =
            new RecordTypeInfo<>(ResultRecord.class, new ResultRecordSerializer());
    public static final TypeInformation<DeadLetter> DEAD_LETTER =
            new RecordTypeInfo<>(DeadLetter.class, new DeadLetterSerializer());

    private RecordTypes() {}
}
