package io.radixflow.job.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.radixflow.job.UserException;
import io.radixflow.job.kafka.Topics;
import io.radixflow.schemas.AvroAnswers;
import io.radixflow.schemas.AvroPromptWriter;
import io.radixflow.schemas.RecordException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code topic}: lines to a topic and records of a topic to lines, so that trying a job needs no Kafka installation. */
@Command(
        name = "topic",
        description = "Write lines to a Kafka topic, or print one.",
        synopsisSubcommandLabel = "SUBCOMMAND")
final class TopicCommand implements Runnable {

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--bootstrap-servers",
            scope = ScopeType.INHERIT,
            paramLabel = "HOST:PORT[,...]",
            description = "Kafka brokers (default: 127.0.0.1:9092).")
    private String bootstrapServers = "127.0.0.1:9092";

    @Option(
            names = "--kafka-property",
            scope = ScopeType.INHERIT,
            paramLabel = "KEY=VALUE",
            description = "Property for the Kafka client; may be repeated.")
    private Map<String, String> properties = new LinkedHashMap<>();

    @Option(
            names = "--format",
            scope = ScopeType.INHERIT,
            paramLabel = "json|avro",
            description =
                    "avro: makes a PromptRecord of each JSON body, prints CompletionRecords as JSON (default: json).")
    private String format = "json";

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "a subcommand is missing; known are "
                        + String.join(", ", spec.subcommands().keySet()));
    }

    @Command(name = "produce", description = "Send each line of standard input as a record.")
    int produce(@Parameters(paramLabel = "TOPIC", description = "Created if absent.") String topic) throws IOException {
        LineEncoder encoder = lineEncoder();
        Topics.create(bootstrapServers, properties, List.of(topic), 1);
        Map<String, Object> config = new HashMap<>(properties);
        config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        long sent = 0;
        Queue<Exception> failures = new ConcurrentLinkedQueue<>();
        try (KafkaProducer<byte[], byte[]> producer =
                        new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
                BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.isBlank()) {
                    byte[] value = encoder.encode(sent + 1, line);
                    var unused = producer.send(new ProducerRecord<>(topic, value), (at, failure) -> {
                        if (failure != null) {
                            failures.add(failure);
                        }
                    });
                    sent++;
                }
            }
            producer.flush();
        }
        if (!failures.isEmpty()) {
            throw new UserException(failures.size() + " of " + sent + " records were not taken: " + failures.peek());
        }
        spec.commandLine().getErr().println("sent " + sent + " records to " + topic);
        return Main.OK;
    }

    /** A line as a record's value. */
    private interface LineEncoder {
        byte[] encode(long number, String line);
    }

    private LineEncoder lineEncoder() {
        if (!isAvro()) {
            return (number, line) -> line.getBytes(UTF_8);
        }
        AvroPromptWriter avro = new AvroPromptWriter();
        return (number, line) -> {
            try {
                return avro.write(line.getBytes(UTF_8));
            } catch (RecordException e) {
                throw new UserException("no PromptRecord can be made of request " + number + ": " + e.reason(), e);
            }
        };
    }

    private boolean isAvro() {
        return switch (format) {
            case "json" -> false;
            case "avro" -> true;
            default -> throw new UserException("--format takes json or avro, got '" + format + "'");
        };
    }

    @Command(name = "consume", description = "Print the records of a topic, one a line, until stopped.")
    int consume(
            @Parameters(paramLabel = "TOPIC", description = "To read.") String topic,
            @Option(names = "--from-beginning", description = "Print what is there already, too.")
                    boolean isFromBeginning,
            @Option(names = "--headers", description = "Print each record's headers before its value.")
                    boolean hasHeaders,
            @Option(
                            names = "--max-records",
                            defaultValue = "9223372036854775807",
                            paramLabel = "N",
                            description = "End after so many (default: never).")
                    long maxRecords) {
        if (maxRecords < 1) {
            throw new UserException("--max-records must be at least 1, got " + maxRecords);
        }
        Topics.create(bootstrapServers, properties, List.of(topic), 1);
        Map<String, Object> config = new HashMap<>(properties);
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        config.put(ConsumerConfig.GROUP_ID_CONFIG, "radixflow-topic-" + UUID.randomUUID());
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, isFromBeginning ? "earliest" : "latest");
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        PrintWriter out = spec.commandLine().getOut();
        long printed = 0;
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(topic));
            while (printed < maxRecords && !out.checkError()) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    if (printed++ < maxRecords) {
                        out.println((hasHeaders ? headersOf(record) : "") + shown(record.value()));
                    }
                }
            }
        }
        return Main.OK;
    }

    private static String headersOf(ConsumerRecord<byte[], byte[]> record) {
        StringBuilder text = new StringBuilder();
        for (Header header : record.headers()) {
            text.append(header.key()).append('=').append(text(header.value())).append('\t');
        }
        return text.toString();
    }

    private String shown(byte[] value) {
        if (!isAvro() || value == null) {
            return text(value);
        }
        try {
            return AvroAnswers.decode(value).toString();
        } catch (IOException e) {
            throw new UserException("a record is no CompletionRecord: " + e.getMessage() + "; try --format json", e);
        }
    }

    private static String text(byte[] value) {
        return value == null ? "null" : new String(value, UTF_8);
    }
}
