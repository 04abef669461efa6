package io.radixflow.job.cli;

import io.radixflow.job.kafka.CheckpointTimes;
import io.radixflow.job.kafka.Delivery;
import io.radixflow.job.kafka.KafkaOptions;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Flags of the Kafka side of the streaming job. */
final class KafkaFlags {

    @Option(
            names = "--bootstrap-servers",
            required = true,
            paramLabel = "HOST:PORT[,...]",
            description = "Kafka brokers.")
    @SuppressWarnings("NullAway.Init") // picocli refuses a command line without it
    private String bootstrapServers;

    @Option(
            names = "--input-topic",
            split = ",",
            paramLabel = "TOPIC",
            defaultValue = "prompts",
            description = "Topics with prompts (default: ${DEFAULT-VALUE}).")
    private List<String> inputTopics = List.of();

    @Option(
            names = "--output-topic",
            paramLabel = "TOPIC",
            defaultValue = "completions",
            description = "Topic of the answers (default: ${DEFAULT-VALUE}).")
    private String outputTopic = "";

    @Option(
            names = "--delta-topic",
            paramLabel = "TOPIC",
            description = "Topic of the chunks of records with \"stream\": true (default: none).")
    private @Nullable String deltaTopic;

    @Option(
            names = "--dead-letter-topic",
            paramLabel = "TOPIC",
            defaultValue = "prompts-dlq",
            description = "Topic of records that cannot be answered (default: ${DEFAULT-VALUE}).")
    private String deadLetterTopic = "";

    @Option(
            names = "--group-id",
            paramLabel = "ID",
            defaultValue = "radixflow",
            description = "Consumer group, and prefix of the transactions' ids (default: ${DEFAULT-VALUE}).")
    private String groupId = "";

    @Option(
            names = "--delivery",
            defaultValue = "exactly-once",
            paramLabel = "exactly-once|at-least-once",
            description = {
                "exactly-once: answers are visible to read_committed readers after the next checkpoint.",
                "at-least-once: at once; a restart may repeat some. Default: ${DEFAULT-VALUE}"
            })
    private Delivery delivery = Delivery.EXACTLY_ONCE;

    @Option(
            names = "--transaction-timeout",
            paramLabel = "DURATION",
            defaultValue = "15min",
            description =
                    "Longest open Kafka transaction: above checkpoint interval and timeout together, at most the broker's"
                            + " transaction.max.timeout.ms. A job that is down for longer may lose answers that a checkpoint"
                            + " was about to commit. How long answers take to generate doesn't matter (default: ${DEFAULT-VALUE}).")
    private Duration transactionTimeout = Duration.ofMinutes(15);

    @Option(
            names = "--kafka-property",
            paramLabel = "KEY=VALUE",
            description = "Property for every Kafka client, for example security.protocol=SASL_SSL; may be repeated.")
    private Map<String, String> properties = new LinkedHashMap<>();

    /** @throws UserException if a value is wrong, or transactions are too short for the checkpoints */
    KafkaOptions options(CheckpointTimes checkpoints) {
        KafkaOptions options = options();
        options.checkTransactions(checkpoints);
        return options;
    }

    private KafkaOptions options() {
        return new KafkaOptions(
                bootstrapServers,
                inputTopics,
                outputTopic,
                deltaTopic,
                deadLetterTopic,
                groupId,
                delivery,
                transactionTimeout,
                properties);
    }
}
