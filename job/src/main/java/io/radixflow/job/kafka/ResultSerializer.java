package io.radixflow.job.kafka;

import io.radixflow.operators.ResultRecord;
import io.radixflow.schemas.RecordHeader;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Writes completions and chunks to one topic: the input's key and headers, so equal keys stay in order. */
final class ResultSerializer implements KafkaRecordSerializationSchema<ResultRecord> {

    private static final long serialVersionUID = 1L;

    private final String topic;

    ResultSerializer(String topic) {
        this.topic = topic;
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(ResultRecord result, KafkaSinkContext context, Long timestamp) {
        RecordHeaders headers = new RecordHeaders();
        for (RecordHeader header : result.headers()) {
            headers.add(header.key(), header.value());
        }
        return new ProducerRecord<>(topic, null, result.key(), result.value(), headers);
    }
}
