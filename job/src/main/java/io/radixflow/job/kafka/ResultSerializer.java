package io.radixflow.job.kafka;

import io.radixflow.operators.ResultRecord;
import io.radixflow.schemas.ConfluentFrame;
import io.radixflow.schemas.RecordHeader;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * Writes completions or chunks to one topic: the input's key and headers; values as they are or, with a schema's id, in the
 * Confluent wire format. Kafka keeps equal keys in order, in one partition; records without a key go to one partition a request.
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
        return new ProducerRecord<>(topic, partition(result, context), result.key(), value, headers);
    }

    /** Null leaves it to the key. */
    private @Nullable Integer partition(ResultRecord result, KafkaSinkContext context) {
        if (result.key() != null) {
            return null;
        }
        int[] partitions = context.getPartitionsForTopic(topic);
        return partitions[Math.floorMod(result.orderHash(), partitions.length)];
    }
}
