package io.radixflow.job.kafka;

import io.radixflow.schemas.DeadLetter;
import io.radixflow.schemas.RecordHeader;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Writes dead letters: key, value and headers untouched, the error in headers of its own. */
final class DeadLetterSerializer implements KafkaRecordSerializationSchema<DeadLetter> {

    private static final long serialVersionUID = 1L;

    private final String topic;

    DeadLetterSerializer(String topic) {
        this.topic = topic;
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(DeadLetter letter, KafkaSinkContext context, Long timestamp) {
        RecordHeaders headers = new RecordHeaders();
        for (RecordHeader header : letter.allHeaders()) {
            headers.add(header.key(), header.value());
        }
        return new ProducerRecord<>(topic, null, letter.key(), letter.value(), headers);
    }
}
