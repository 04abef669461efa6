package io.radixflow.job.kafka;

import io.radixflow.job.UserException;
import io.radixflow.operators.PipelineOutputs;
import io.radixflow.operators.RecordTypes;
import io.radixflow.operators.SourceRecord;
import io.radixflow.schemas.RegistryAccess;
import io.radixflow.schemas.RegistryException;
import io.radixflow.schemas.SchemaRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaSinkBuilder;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The two ends of the streaming job: the source of prompts and the sinks of completions, deltas and dead letters. */
public final class KafkaEnds {

    private static final Logger LOG = LoggerFactory.getLogger(KafkaEnds.class);

    private final KafkaOptions options;
    private final int answerSchemaId;

    /** Answers are written as they come. */
    public KafkaEnds(KafkaOptions options) {
        this(options, ResultSerializer.NO_SCHEMA);
    }

    private KafkaEnds(KafkaOptions options, int answerSchemaId) {
        this.options = options;
        this.answerSchemaId = answerSchemaId;
    }

    /**
     * Answers are written in the Confluent wire format, by a schema that this registers for the output topic.
     *
     * @throws UserException if the registry is not there or refuses the schema
     */
    public static KafkaEnds registered(KafkaOptions options, RegistryAccess registry) throws InterruptedException {
        try {
            int id = new SchemaRegistry(registry).registerCompletions(options.outputTopic());
            LOG.info("Answers are written by schema id {} of the schema registry {}", id, registry);
            return new KafkaEnds(options, id);
        } catch (RegistryException e) {
            throw new UserException("the schema registry " + registry + ": " + e.getMessage(), e);
        }
    }

    /**
     * Creates missing topics and checks that the broker allows transactions as long as the job's.
     *
     * @return names of the topics created
     * @throws UserException if the broker does not answer, or allows shorter transactions only
     */
    public List<String> prepare(int numPartitions) {
        if (options.delivery() == Delivery.EXACTLY_ONCE) {
            checkBrokersLimit();
        }
        List<String> topics = new ArrayList<>(options.inputTopics());
        topics.add(options.outputTopic());
        topics.add(options.deadLetterTopic());
        if (options.deltaTopic() != null) {
            topics.add(options.deltaTopic());
        }
        return Topics.create(options.bootstrapServers(), options.properties(), topics, numPartitions);
    }

    private void checkBrokersLimit() {
        OptionalLong limit = Topics.maxTransactionMillis(options.bootstrapServers(), options.properties());
        long wanted = options.transactionTimeout().toMillis();
        if (limit.isEmpty()) {
            LOG.warn(
                    "The brokers don't tell their transaction.max.timeout.ms; if it is below --transaction-timeout, {} ms, the"
                            + " job will fail",
                    wanted);
        } else if (limit.getAsLong() < wanted) {
            throw new UserException("--transaction-timeout is " + wanted + " ms, but the broker allows transactions of "
                    + limit.getAsLong() + " ms at most (transaction.max.timeout.ms); raise the broker's limit,"
                    + " lower --transaction-timeout, or take --delivery at-least-once");
        }
    }

    /** Prompts from the group's committed offsets on, from the topics' beginning the first time. */
    @SuppressWarnings("deprecation") // the connector's API takes OffsetResetStrategy and nothing else
    public DataStream<SourceRecord> source(StreamExecutionEnvironment env) {
        TypeInformation<SourceRecord> type = RecordTypes.SOURCE;
        KafkaSource<SourceRecord> source = KafkaSource.<SourceRecord>builder()
                .setBootstrapServers(options.bootstrapServers())
                .setTopics(options.inputTopics())
                .setGroupId(options.groupId())
                .setClientIdPrefix(options.groupId())
                .setStartingOffsets(OffsetsInitializer.committedOffsets(OffsetResetStrategy.EARLIEST))
                .setDeserializer(new PromptDeserializer(type))
                .setProperties(options.clientProperties())
                .setProperty(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed")
                .build();
        return env.fromSource(source, WatermarkStrategy.noWatermarks(), "prompts", type)
                .uid("prompts");
    }

    /** Sends the pipeline's outputs to their topics. */
    public void sinks(PipelineOutputs outputs) {
        DeliveryGuarantee guarantee = options.delivery().guarantee();
        outputs.completions()
                .sinkTo(sink("completions", guarantee, new ResultSerializer(options.outputTopic(), answerSchemaId)))
                .name("completions")
                .uid("completions");
        outputs.deadLetters()
                .sinkTo(sink("dead-letters", guarantee, new DeadLetterSerializer(options.deadLetterTopic())))
                .name("dead-letters")
                .uid("dead-letters");
        if (options.deltaTopic() != null) {
            outputs.deltas()
                    .sinkTo(sink(
                            "deltas",
                            guarantee,
                            new ResultSerializer(options.deltaTopic(), ResultSerializer.NO_SCHEMA)))
                    .name("deltas")
                    .uid("deltas");
        }
    }

    private <T> KafkaSink<T> sink(
            String name, DeliveryGuarantee guarantee, KafkaRecordSerializationSchema<T> serializer) {
        Properties producer = options.clientProperties();
        KafkaSinkBuilder<T> builder = KafkaSink.<T>builder()
                .setBootstrapServers(options.bootstrapServers())
                .setDeliveryGuarantee(guarantee)
                .setRecordSerializer(serializer);
        if (guarantee == DeliveryGuarantee.EXACTLY_ONCE) {
            producer.setProperty(
                    ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
                    Long.toString(options.transactionTimeout().toMillis()));
            builder.setTransactionalIdPrefix(options.groupId() + "-" + name);
        }
        return builder.setKafkaProducerConfig(producer).build();
    }
}
