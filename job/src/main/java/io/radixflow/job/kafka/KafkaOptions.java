package io.radixflow.job.kafka;

import io.radixflow.job.UserException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
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
    }

    Properties clientProperties() {
        Properties all = new Properties();
        properties.forEach(all::setProperty);
        return all;
    }
}
