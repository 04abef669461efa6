package io.radixflow.job.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineOptions;
import io.radixflow.job.UserException;
import io.radixflow.job.kafka.Delivery;
import io.radixflow.job.kafka.EmbeddedBroker;
import io.radixflow.job.kafka.KafkaEnds;
import io.radixflow.job.kafka.KafkaOptions;
import io.radixflow.job.pipeline.JobEnvironment;
import io.radixflow.job.pipeline.RunningJob;
import io.radixflow.job.pipeline.StreamJob;
import io.radixflow.operators.ConfiguredEngineProvider;
import io.radixflow.operators.PipelineOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code quickstart}: the streaming job as it is, between topics of a broker in this process, on a file of prompts. */
@Command(name = "quickstart", description = "Run the streaming job on example prompts, with a Kafka broker of its own.")
final class QuickstartCommand implements Callable<Integer>, StartsEngine {

    private static final String COMPLETIONS = "completions";
    private static final String DELTAS = "deltas";
    private static final String DEAD_LETTERS = "prompts-dlq";
    private static final String PROMPTS = "prompts";
    private static final Duration LONGEST_SILENCE = Duration.ofMinutes(5);

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--model",
            paramLabel = "NAME",
            description = "A model of `model fetch` (default: ${DEFAULT-VALUE}).")
    private String model = "smollm2-135m-instruct";

    @Option(
            names = "--prompts",
            paramLabel = "FILE",
            description = "JSON bodies or Batch lines, one a line (default: examples/prompts.jsonl).")
    private @Nullable Path promptFile;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            description = "Of Kafka (default: 9092, or a free one if that is taken).")
    private @Nullable Integer port;

    @Option(
            names = "--dashboard-port",
            paramLabel = "PORT",
            description = "Of Flink's dashboard (default: 8081, or a free one if that is taken).")
    private @Nullable Integer dashboardPort;

    @Option(names = "--keep", description = "Leave broker, job and dashboard running afterwards, until Ctrl-C.")
    private boolean isKeeping;

    @Override
    public Integer call() throws Exception {
        ResourceStack resources = new ResourceStack();
        try (Shutdown shutdown = new Shutdown(resources)) {
            shutdown.arm();
            return run(resources);
        }
    }

    private int run(ResourceStack resources) throws Exception {
        long start = System.nanoTime();
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        Path file = promptFile == null ? Home.dir().resolve("examples/prompts.jsonl") : promptFile;
        List<ExamplePrompts.Prompt> prompts = ExamplePrompts.read(file);
        Configuration flink = JobEnvironment.configuration(Map.of(), Duration.ofSeconds(1));
        EngineConfig engine = EngineFlags.config(spec, flink, Map.of(EngineOptions.MODEL_PATH.name(), model));
        int kafkaPort = Ports.choose(port, 9092, "Kafka", "--port");
        int uiPort = Ports.choose(dashboardPort, 8081, "the dashboard", "--dashboard-port");

        terminal.line("[1/4] model " + engine.get(EngineOptions.MODEL_PATH));
        terminal.line("[2/4] starting a Kafka broker on 127.0.0.1:" + kafkaPort + insteadOf(port, kafkaPort, 9092));
        EmbeddedBroker broker = resources.add(EmbeddedBroker.start(kafkaPort));
        KafkaOptions kafka = kafkaOptions(broker.bootstrapServers());
        KafkaEnds ends = new KafkaEnds(kafka);
        ends.prepare(1);

        terminal.line(
                "[3/4] starting Flink, dashboard http://127.0.0.1:" + uiPort + insteadOf(dashboardPort, uiPort, 8081));
        TemporaryDir state = resources.add(TemporaryDir.create("radixflow-state-"));
        StreamExecutionEnvironment env = JobEnvironment.embedded(flink, 1, uiPort, state.path());
        StreamJob.build(
                env,
                ends,
                new ConfiguredEngineProvider(engine.asMap()),
                PipelineOptions.defaults().withEngineConfig(engine));
        RunningJob job = resources.add(RunningJob.submit(env, "radixflow-quickstart"));

        terminal.line("[4/4] sending " + prompts.size() + " prompts of " + file + " to the topic " + PROMPTS
                + "; the model loads meanwhile");
        terminal.line("");
        ResultPrinter results = new ResultPrinter(terminal, prompts);
        long sent = System.nanoTime();
        send(kafka.bootstrapServers(), prompts);
        read(kafka.bootstrapServers(), prompts.size(), results, job);
        long end = System.nanoTime();
        results.summary((end - sent) / 1e9, (end - start) / 1e9, EngineFlags.isSimulated(engine));
        terminal.line("  dashboard             http://127.0.0.1:" + uiPort
                + (isKeeping ? "" : " (until now; --keep leaves it)"));
        if (isKeeping) {
            keep(terminal, kafka.bootstrapServers(), uiPort);
            job.await();
        }
        return results.isAllAsExpected() ? Main.OK : Main.FAILED;
    }

    private static KafkaOptions kafkaOptions(String bootstrapServers) {
        return new KafkaOptions(
                bootstrapServers,
                List.of(PROMPTS),
                COMPLETIONS,
                DELTAS,
                DEAD_LETTERS,
                "radixflow-quickstart",
                Delivery.EXACTLY_ONCE,
                Duration.ofMinutes(15),
                Map.of());
    }

    private static String insteadOf(@Nullable Integer wanted, int chosen, int usual) {
        return wanted == null && chosen != usual ? " (" + usual + " is taken by another program)" : "";
    }

    private static void send(String bootstrapServers, List<ExamplePrompts.Prompt> prompts) throws Exception {
        Map<String, Object> config = Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (ExamplePrompts.Prompt prompt : prompts) {
                byte[] key = prompt.key() == null ? null : prompt.key().getBytes(UTF_8);
                producer.send(new ProducerRecord<>(PROMPTS, key, prompt.value().getBytes(UTF_8)))
                        .get();
            }
        }
    }

    private static void read(String bootstrapServers, int numRecords, ResultPrinter results, RunningJob job)
            throws IOException, InterruptedException {
        Map<String, Object> config = Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrapServers,
                ConsumerConfig.GROUP_ID_CONFIG,
                "quickstart-" + UUID.randomUUID(),
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "earliest",
                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                "read_committed");
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(COMPLETIONS, DELTAS, DEAD_LETTERS));
            long lastResult = System.nanoTime();
            while (results.numResults() < numRecords) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(250))) {
                    lastResult = System.nanoTime();
                    switch (record.topic()) {
                        case COMPLETIONS -> results.onCompletion(record);
                        case DELTAS -> results.onDelta(record);
                        default -> results.onDeadLetter(record);
                    }
                }
                job.checkNotFailed();
                if (System.nanoTime() - lastResult > LONGEST_SILENCE.toNanos()) {
                    throw new UserException(
                            "no result for " + LONGEST_SILENCE.toMinutes() + " minutes; see .cache/logs/radixflow.log");
                }
            }
        }
    }

    private static void keep(Terminal terminal, String bootstrapServers, int uiPort) {
        String servers = " --bootstrap-servers " + bootstrapServers;
        terminal.line("");
        terminal.line("Running on; dashboard: http://127.0.0.1:" + uiPort + ". In other terminals:");
        terminal.line("  scripts/radixflow topic consume completions" + servers);
        terminal.line("  echo '{\"messages\": [{\"role\": \"user\", \"content\": \"What is a radix tree?\"}],"
                + " \"max_tokens\": 40}' | scripts/radixflow topic produce prompts" + servers);
        terminal.line("Ctrl-C ends it all.");
    }
}
