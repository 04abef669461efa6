package io.radixflow.job.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.job.UserException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

class EmbeddedBrokerTest {

    @Test
    void takesAndGivesRecordsThroughTransactionsAndCreatesTopicsOnce() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(0)) {
            assertThat(Topics.create(broker.bootstrapServers(), Map.of(), List.of("prompts"), 1))
                    .containsExactly("prompts");
            assertThat(Topics.create(broker.bootstrapServers(), Map.of(), List.of("prompts"), 1))
                    .isEmpty();
            Map<String, Object> producing = Map.of(
                    ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                    broker.bootstrapServers(),
                    ProducerConfig.TRANSACTIONAL_ID_CONFIG,
                    "test");
            try (var producer = new KafkaProducer<>(producing, new ByteArraySerializer(), new ByteArraySerializer())) {
                producer.initTransactions();
                producer.beginTransaction();
                producer.send(new ProducerRecord<>("prompts", "hello".getBytes(UTF_8)))
                        .get();
                producer.commitTransaction();
            }
            Map<String, Object> consuming = Map.of(
                    ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                    broker.bootstrapServers(),
                    ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                    "read_committed");
            try (var consumer =
                    new KafkaConsumer<>(consuming, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
                consumer.assign(List.of(new TopicPartition("prompts", 0)));
                consumer.seekToBeginning(consumer.assignment());
                List<String> values = new ArrayList<>();
                for (int polls = 0; polls < 50 && values.isEmpty(); polls++) {
                    for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofSeconds(1))) {
                        values.add(new String(r.value(), UTF_8));
                    }
                }
                assertThat(values).containsExactly("hello");
            }
        }
    }

    @Test
    void refusesTransactionsThatTheBrokerDoesNotAllow() {
        try (EmbeddedBroker broker = EmbeddedBroker.start(0)) {
            assertThat(Topics.maxTransactionMillis(broker.bootstrapServers(), Map.of()))
                    .hasValue(900_000);
            KafkaOptions options = new KafkaOptions(
                    broker.bootstrapServers(),
                    List.of("prompts"),
                    "completions",
                    null,
                    "dlq",
                    "group",
                    Delivery.EXACTLY_ONCE,
                    Duration.ofMillis(900_001),
                    Map.of());

            assertThatThrownBy(() -> new KafkaEnds(options).prepare(1))
                    .isInstanceOf(UserException.class)
                    .hasMessage(
                            "--transaction-timeout is 900001 ms, but the broker allows transactions of 900000 ms at most"
                                    + " (transaction.max.timeout.ms); raise the broker's limit, lower --transaction-timeout, or take"
                                    + " --delivery at-least-once");
        }
    }

    @Test
    void namesTheTakenPortAndItsFlag() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> EmbeddedBroker.start(taken.getLocalPort()))
                    .isInstanceOf(UserException.class)
                    .hasMessageContaining("port " + taken.getLocalPort())
                    .hasMessageContaining("--port");
        }
    }
}
