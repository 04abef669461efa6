package io.radixflow.job.kafka;

import static java.util.Map.entry;

import io.radixflow.job.UserException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.jspecify.annotations.Nullable;

/**
 * Where prompts come from and answers go to.
 *
 * @param bootstrapServers of the Kafka cluster
 * @param inputTopics prompts, at least one topic
 * @param outputTopic completions
 * @param deltaTopic chunks of streamed answers, or null for none
 * @param deadLetterTopic records that cannot be answered
 * @param groupId consumer group that offsets are kept under, and prefix of the transactions' ids
 * @param delivery of completions and dead letters
 * @param transactionTimeout longest time that a transaction may be open
 * @param properties for every Kafka client, as the user gave them
 */
public record KafkaOptions(
        String bootstrapServers,
        List<String> inputTopics,
        String outputTopic,
        @Nullable String deltaTopic,
        String deadLetterTopic,
        String groupId,
        Delivery delivery,
        Duration transactionTimeout,
        Map<String, String> properties) {

    private static final Map<String, String> OWNERS = Map.ofEntries(
            entry("bootstrap.servers", "give it by --bootstrap-servers"),
            entry("group.id", "give it by --group-id"),
            entry("client.id", "clients are named by --group-id"),
            entry("transaction.timeout.ms", "give it by --transaction-timeout"),
            entry("transactional.id", "transactions are named by --group-id"),
            entry("isolation.level", "only committed records are read"),
            entry("auto.offset.reset", "it begins at the group's committed offsets, or at the topics' beginning"),
            entry("enable.auto.commit", "offsets are committed with checkpoints"),
            entry("key.deserializer", "records are read as bytes"),
            entry("value.deserializer", "records are read as bytes"),
            entry("key.serializer", "records are written as bytes"),
            entry("value.serializer", "records are written as bytes"));

    public KafkaOptions {
        inputTopics = List.copyOf(inputTopics);
        properties = Map.copyOf(properties);
        if (inputTopics.isEmpty()) {
            throw new UserException("--input-topic names no topic");
        }
        if (inputTopics.contains(outputTopic)
                || inputTopics.contains(deadLetterTopic)
                || (deltaTopic != null && inputTopics.contains(deltaTopic))) {
            throw new UserException("a topic is both input and output: the job would read its own answers");
        }
        properties.forEach((name, value) -> checkProperty(name, value, delivery));
    }

    /** Properties that the job sets by itself would be overruled in silence, or would break what it promises. */
    private static void checkProperty(String name, String value, Delivery delivery) {
        String owner = OWNERS.get(name);
        if (owner != null) {
            throw new UserException("--kafka-property " + name + " contradicts the job's own: " + owner);
        }
        boolean isUnsafe = switch (name) {
            case ProducerConfig.ACKS_CONFIG -> !value.equals("all") && !value.equals("-1");
            case ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG -> !Boolean.parseBoolean(value);
            default -> false;
        };
        if (isUnsafe && delivery == Delivery.EXACTLY_ONCE) {
            throw new UserException("--kafka-property " + name + "=" + value
                    + " allows no transactions; leave it out, or take --delivery at-least-once");
        }
    }

    /** @throws UserException if transactions may time out before the checkpoint that commits them */
    public void checkTransactions(CheckpointTimes checkpoints) {
        Duration needed = checkpoints.longestTransaction();
        if (delivery == Delivery.EXACTLY_ONCE && transactionTimeout.compareTo(needed) <= 0) {
            throw new UserException("--transaction-timeout " + CheckpointTimes.seconds(transactionTimeout)
                    + " must be above the time that a transaction stays open, " + checkpoints.inWords()
                    + "; raise it (and the broker's transaction.max.timeout.ms), or lower"
                    + " execution.checkpointing.timeout with -D");
        }
    }

    Properties clientProperties() {
        Properties all = new Properties();
        properties.forEach(all::setProperty);
        return all;
    }
}
