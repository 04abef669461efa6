package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.job.kafka.Delivery;
import io.radixflow.job.kafka.EmbeddedBroker;
import io.radixflow.job.kafka.KafkaEnds;
import io.radixflow.job.kafka.KafkaOptions;
import io.radixflow.operators.PipelineOptions;
import io.radixflow.operators.PipelineOutputs;
import io.radixflow.operators.PromptPipeline;
import io.radixflow.operators.RecordTypes;
import io.radixflow.operators.ResultRecord;
import io.radixflow.schemas.AvroAnswers;
import io.radixflow.schemas.AvroPromptWriter;
import io.radixflow.schemas.ConfluentFrame;
import io.radixflow.schemas.RecordFormat;
import io.radixflow.schemas.SchemaRegistry;
import io.radixflow.schemas.StubRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** From a real broker through a real mini cluster to the broker again, over fake engines. */
class StreamJobIT {

    private static final int NUM_RECORDS = 60;
    private static final int BAD_EVERY = 10;

    @TempDir
    private Path stateDir;

    /** Fails the job once, after a checkpoint, half way through. */
    private static final class FailOnce extends RichMapFunction<ResultRecord, ResultRecord>
            implements CheckpointListener {

        private static final long serialVersionUID = 1L;
        private static final AtomicInteger NUM_SEEN = new AtomicInteger();
        private static final AtomicInteger NUM_CHECKPOINTS = new AtomicInteger();
        private static final AtomicBoolean HAS_FAILED = new AtomicBoolean();

        static void reset() {
            NUM_SEEN.set(0);
            NUM_CHECKPOINTS.set(0);
            HAS_FAILED.set(false);
        }

        @Override
        public ResultRecord map(ResultRecord result) throws IOException {
            boolean isHalfWay = NUM_SEEN.incrementAndGet() >= NUM_RECORDS / 2 && NUM_CHECKPOINTS.get() > 0;
            if (isHalfWay && HAS_FAILED.compareAndSet(false, true)) {
                throw new IOException("injected");
            }
            return result;
        }

        @Override
        public void notifyCheckpointComplete(long checkpointId) {
            NUM_CHECKPOINTS.incrementAndGet();
        }
    }

    /**
     * Keys, headers and the order of chunks included. At least once, a restart repeats answers and goes on with the chunks where the
     * last checkpoint was; exactly once, a committed reader sees nothing of it.
     */
    @ParameterizedTest
    @EnumSource(Delivery.class)
    @Timeout(120)
    void answersEachRecordAcrossAFailure(Delivery delivery) throws Exception {
        FailOnce.reset();
        try (EmbeddedBroker broker = EmbeddedBroker.start(0)) {
            KafkaOptions options = new KafkaOptions(
                    broker.bootstrapServers(),
                    List.of("prompts"),
                    "completions",
                    "deltas",
                    "prompts-dlq",
                    "it",
                    delivery,
                    Duration.ofMinutes(15),
                    Map.of());
            KafkaEnds ends = new KafkaEnds(options);
            assertThat(ends.prepare(3)).containsExactly("prompts", "completions", "prompts-dlq", "deltas");
            produce(broker.bootstrapServers());

            Configuration flink = JobEnvironment.configuration(Map.of(), Duration.ofMillis(300));
            StreamExecutionEnvironment env = JobEnvironment.embedded(flink, 1, EmbeddedBroker.freePort(), stateDir);
            PipelineOutputs outputs =
                    PromptPipeline.build(ends.source(env), new FakeEngines(4, 5_000), PipelineOptions.defaults());
            ends.sinks(new PipelineOutputs(
                    outputs.completions().map(new FailOnce()).returns(RecordTypes.RESULT),
                    outputs.deltas(),
                    outputs.deadLetters()));
            try (RunningJob job = RunningJob.submit(env, StreamJob.NAME)) {
                DeliveredRecords delivered = new DeliveredRecords();
                consume(broker.bootstrapServers(), job, delivered::add, () -> delivered.numResults() >= NUM_RECORDS);
                assertThat(FailOnce.HAS_FAILED).isTrue();
                delivered.assertComplete(ids(false), ids(true), delivery);
            }
        }
    }

    @Test
    @Timeout(120)
    void answersAvroRecordsByTheSchemasOfARegistryThatComesLate() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(0);
                StubRegistry registry = StubRegistry.start()) {
            KafkaOptions options = new KafkaOptions(
                    broker.bootstrapServers(),
                    List.of("prompts"),
                    "completions",
                    null,
                    "prompts-dlq",
                    "it-avro",
                    Delivery.AT_LEAST_ONCE,
                    Duration.ofMinutes(15),
                    Map.of());
            KafkaEnds ends = KafkaEnds.registered(options, registry.access());
            ends.prepare(1);
            registry.put(7, registry.schema(new SchemaRegistry(registry.access()).registerPrompts("prompts")));
            byte[] plain = new AvroPromptWriter()
                    .write("{\"custom_id\":\"a\",\"prompt\":[97,98],\"n\":3,\"max_tokens\":5}".getBytes(UTF_8));
            byte[] unknown = ConfluentFrame.wrap(8, plain);
            produce(broker.bootstrapServers(), List.of(ConfluentFrame.wrap(7, plain), plain, unknown));
            registry.fail(3, 503); // is no reason for a dead letter

            Configuration flink = JobEnvironment.configuration(Map.of(), Duration.ofMillis(300));
            StreamExecutionEnvironment env = JobEnvironment.embedded(flink, 1, EmbeddedBroker.freePort(), stateDir);
            StreamJob.build(
                    env,
                    ends,
                    new FakeEngines(4, 500),
                    PipelineOptions.defaults()
                            .withDeltaOutput(false)
                            .withFormat(RecordFormat.AVRO_CONFLUENT)
                            .withRegistry(registry.access()));
            try (RunningJob job = RunningJob.submit(env, StreamJob.NAME)) {
                List<ConsumerRecord<byte[], byte[]>> results = consume(broker.bootstrapServers(), job, 3);
                List<byte[]> dead = new ArrayList<>();
                for (ConsumerRecord<byte[], byte[]> result : results) {
                    if (result.topic().equals("completions")) {
                        assertThat(result.value()).startsWith(0, 0, 0, 0, 100);
                        byte[] value = Arrays.copyOfRange(result.value(), 5, result.value().length);
                        assertThat(AvroAnswers.decode(value).getCustomId()).isEqualTo("a");
                        assertThat(AvroAnswers.decode(value).getChoices()).hasSize(3);
                    } else {
                        dead.add(result.value());
                    }
                }
                assertThat(dead).containsExactly(plain, unknown);
                assertThat(results).hasSize(3);
                assertThat(registry.requests())
                        .filteredOn("GET /schemas/ids/7 "::equals)
                        .hasSize(4);
            }
        }
    }

    private static void produce(String bootstrapServers, List<byte[]> values) throws Exception {
        Map<String, Object> config = Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (byte[] value : values) {
                producer.send(new ProducerRecord<>("prompts", value)).get();
            }
        }
    }

    private static List<String> ids(boolean isBad) {
        return IntStream.range(0, NUM_RECORDS)
                .filter(i -> isBad(i) == isBad)
                .mapToObj(i -> "r" + i)
                .toList();
    }

    private static boolean isBad(int i) {
        return i % BAD_EVERY == 0;
    }

    private static void produce(String bootstrapServers) throws Exception {
        Map<String, Object> config = Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < NUM_RECORDS; i++) {
                String id = "r" + i;
                String value = isBad(i)
                        ? "{\"prompt\": "
                        : "{\"custom_id\": \"" + id + "\", \"prompt\": \"number " + i
                                + "\", \"max_tokens\": 40, \"ignore_eos\": true, \"stream\": true}";
                byte[] key = i % 3 == 0 ? null : id.getBytes(UTF_8);
                ProducerRecord<byte[], byte[]> record = new ProducerRecord<>("prompts", key, value.getBytes(UTF_8));
                record.headers().add(DeliveredRecords.ID_HEADER, id.getBytes(UTF_8));
                producer.send(record).get();
            }
        }
    }

    private static List<ConsumerRecord<byte[], byte[]>> consume(String bootstrapServers, RunningJob job, int numResults)
            throws InterruptedException {
        List<ConsumerRecord<byte[], byte[]>> results = new ArrayList<>();
        consume(bootstrapServers, job, results::add, () -> results.size() >= numResults);
        return results;
    }

    /** Reads all topics of the job until it is enough, and some quiet polls more, so that duplicates would be seen. */
    private static void consume(
            String bootstrapServers,
            RunningJob job,
            Consumer<ConsumerRecord<byte[], byte[]>> results,
            BooleanSupplier isEnough)
            throws InterruptedException {
        Map<String, Object> config = Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers,
                ConsumerConfig.GROUP_ID_CONFIG, "it-reader",
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of("completions", "prompts-dlq", "deltas"));
            for (int quietPolls = 0; quietPolls < 4 || !isEnough.getAsBoolean(); ) {
                ConsumerRecords<byte[], byte[]> polled = consumer.poll(Duration.ofMillis(500));
                polled.forEach(results);
                quietPolls = polled.isEmpty() ? quietPolls + 1 : 0;
                job.checkNotFailed();
            }
        }
    }
}
