package io.radixflow.job.kafka;

import io.radixflow.operators.ResultRecord;
import io.radixflow.schemas.ConfluentFrame;
import io.radixflow.schemas.RecordHeader;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;

/**
 * Writes completions or chunks to one topic: the input's key and headers, so equal keys stay in order; values as they are or, with
 * a schema's id, in the Confluent wire format.
 */
final class ResultSerializer implements KafkaRecordSerializationSchema<ResultRecord> {

    private static final long serialVersionUID = 1L;

    static final int NO_SCHEMA = -1;

    private final String topic;
    private final int schemaId;

    ResultSerializer(String topic, int schemaId) {
        this.topic = topic;
        this.schemaId = schemaId;
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(ResultRecord result, KafkaSinkContext context, Long timestamp) {
        RecordHeaders headers = new RecordHeaders();
        for (RecordHeader header : result.headers()) {
            headers.add(header.key(), header.value());
        }
        byte[] value = schemaId == NO_SCHEMA ? result.value() : ConfluentFrame.wrap(schemaId, result.value());
        return new ProducerRecord<>(topic, null, result.key(), value, headers);
    }
}
