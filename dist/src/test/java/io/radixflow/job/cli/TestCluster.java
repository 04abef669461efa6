package io.radixflow.job.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.job.cluster.ClusterDirs;
import io.radixflow.job.cluster.ClusterPlan;
import io.radixflow.job.cluster.ClusterState;
import io.radixflow.job.cluster.ClusterState.RunningProcess;
import io.radixflow.job.cluster.FlinkRest;
import io.radixflow.job.kafka.EmbeddedBroker;
import io.radixflow.job.kafka.Topics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A cluster that the command line started in a folder of its own, as its users see it. */
final class TestCluster implements AutoCloseable {

    static final String PROMPTS = "prompts";
    static final String DEAD_LETTERS = "prompts-dlq";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern JOB = Pattern.compile("(?m)^job ([0-9a-f]{32})$");

    private final Path dir;
    private final int firstPrometheusPort;
    private final ClusterPlan plan;

    private TestCluster(Path dir, int numTaskManagers, List<String> options) throws IOException {
        this.dir = dir;
        firstPrometheusPort = EmbeddedBroker.freePort();
        List<String> arguments = new ArrayList<>(List.of(
                "start",
                "--taskmanagers=" + numTaskManagers,
                "--dashboard-port=0",
                "--port=0",
                "-D",
                "metrics.reporter.prom.port=" + firstPrometheusPort + "-"
                        + (firstPrometheusPort + TokenWatch.NUM_PORTS - 1),
                "-D",
                "metrics.fetcher.update-interval=500",
                "-D",
                "taskmanager.memory.task.heap.size=512m",
                "-D",
                "taskmanager.memory.framework.off-heap.size=128m",
                "-D",
                "jobmanager.memory.process.size=800m"));
        arguments.addAll(options);
        run(arguments.toArray(String[]::new));
        plan = ClusterPlan.read(dirs());
    }

    /** @param dir new, or of a cluster that was stopped */
    static TestCluster start(Path dir, int numTaskManagers, String... options) throws IOException {
        return new TestCluster(dir, numTaskManagers, List.of(options));
    }

    ClusterDirs dirs() {
        return new ClusterDirs(dir);
    }

    String kafka() {
        return plan.kafka();
    }

    FlinkRest rest() {
        return new FlinkRest(plan.dashboard());
    }

    /** First of the ports that JobManager and TaskManagers take theirs from. */
    int firstPrometheusPort() {
        return firstPrometheusPort;
    }

    /** Runs {@code cluster ...} and returns what it printed. @throws AssertionError if it did not succeed */
    String run(String... arguments) {
        List<String> line = new ArrayList<>(List.of("cluster", "--cluster-dir=" + dir));
        line.addAll(List.of(arguments));
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(said, true, UTF_8);
        int status = Main.commandLine(out, out).execute(line.toArray(String[]::new));
        String text = said.toString(UTF_8);
        if (status != Main.OK) {
            throw new AssertionError(String.join(" ", line) + " ended with status " + status + ": " + text);
        }
        return text;
    }

    /** Submits a job. @return its id */
    String submit(List<String> options, List<String> job) {
        List<String> arguments = new ArrayList<>(List.of("submit"));
        arguments.addAll(options);
        arguments.addAll(job);
        Matcher id = JOB.matcher(run(arguments.toArray(String[]::new)));
        if (!id.find()) {
            throw new AssertionError("no job id");
        }
        return id.group(1);
    }

    ClusterState state() throws IOException {
        return ClusterState.read(dirs()).orElseThrow();
    }

    /** The process of that name, alive or just dead. */
    RunningProcess process(String name) throws IOException {
        return state().processes().stream()
                .filter(process -> process.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** {@code kill -9}. */
    void kill(String name) throws IOException {
        process(name).handle().ifPresent(ProcessHandle::destroyForcibly);
    }

    void send(List<String> values, int numPartitions) {
        Topics.create(kafka(), Map.of(), List.of(PROMPTS), numPartitions);
        Map<String, Object> config = Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka());
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (String value : values) {
                var unused = producer.send(new ProducerRecord<>(PROMPTS, value.getBytes(UTF_8)));
            }
            producer.flush();
        }
    }

    /** Reads a topic's committed records from its beginning. */
    KafkaConsumer<byte[], byte[]> reader(String... topics) {
        Map<String, Object> config = new HashMap<>();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka());
        config.put(ConsumerConfig.GROUP_ID_CONFIG, "reader-" + UUID.randomUUID());
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        Topics.create(kafka(), Map.of(), List.of(topics), 1);
        consumer.subscribe(List.of(topics));
        return consumer;
    }

    static JsonNode json(byte[] value) {
        try {
            return JSON.readTree(value);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    static Duration pollTime() {
        return Duration.ofMillis(250);
    }

    /** Ends the cluster, whatever state it is in. */
    @Override
    public void close() {
        run("stop");
    }
}
