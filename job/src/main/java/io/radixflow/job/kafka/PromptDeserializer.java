package io.radixflow.job.kafka;

import io.radixflow.operators.SourceRecord;
import io.radixflow.schemas.RecordHeader;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/** Takes a Kafka record as it is, bytes, key and headers: what is wrong with it is for the pipeline to say. */
final class PromptDeserializer implements KafkaRecordDeserializationSchema<SourceRecord> {

    private static final long serialVersionUID = 1L;

    private final TypeInformation<SourceRecord> type;

    PromptDeserializer(TypeInformation<SourceRecord> type) {
        this.type = type;
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> kafka, Collector<SourceRecord> out) {
        List<RecordHeader> headers = new ArrayList<>();
        for (Header header : kafka.headers()) {
            headers.add(new RecordHeader(header.key(), header.value()));
        }
        out.collect(new SourceRecord(
                kafka.key(), kafka.value(), headers, kafka.topic(), kafka.partition(), kafka.offset(), timeOf(kafka)));
    }

    private static long timeOf(ConsumerRecord<byte[], byte[]> kafka) {
        return kafka.timestamp() == ConsumerRecord.NO_TIMESTAMP ? SourceRecord.NO_TIMESTAMP : kafka.timestamp();
    }

    @Override
    public TypeInformation<SourceRecord> getProducedType() {
        return type;
    }
}
