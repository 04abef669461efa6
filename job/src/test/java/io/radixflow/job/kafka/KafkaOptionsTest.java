package io.radixflow.job.kafka;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.job.UserException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KafkaOptionsTest {

    private static final CheckpointTimes TIMES = new CheckpointTimes(Duration.ofSeconds(10), Duration.ofMinutes(10), 0);

    @Test
    void refusesTransactionsThatEndBeforeTheirCheckpoint() {
        assertThatCode(() -> options(Delivery.EXACTLY_ONCE, 611, Map.of()).checkTransactions(TIMES))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> options(Delivery.EXACTLY_ONCE, 610, Map.of()).checkTransactions(TIMES))
                .isInstanceOf(UserException.class)
                .hasMessage(
                        "--transaction-timeout 610 s must be above the time that a transaction stays open, a checkpoint"
                                + " interval of 10 s and a checkpoint timeout of 600 s: 610 s; raise it (and the broker's"
                                + " transaction.max.timeout.ms), or lower execution.checkpointing.timeout with -D");
        assertThatCode(() -> options(Delivery.AT_LEAST_ONCE, 1, Map.of()).checkTransactions(TIMES))
                .doesNotThrowAnyException();
    }

    @Test
    void countsTheFailedCheckpointsThatAreTolerated() {
        CheckpointTimes tolerant = new CheckpointTimes(Duration.ofMillis(500), Duration.ofMinutes(1), 2);

        assertThatCode(() -> options(Delivery.EXACTLY_ONCE, 182, Map.of()).checkTransactions(tolerant))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> options(Delivery.EXACTLY_ONCE, 181, Map.of()).checkTransactions(tolerant))
                .hasMessageContaining("interval of 500 ms")
                .hasMessageContaining("3 times for the failed checkpoints tolerated: 181500 ms");
        CheckpointTimes endless = new CheckpointTimes(Duration.ofMillis(500), Duration.ofMinutes(1), Integer.MAX_VALUE);
        assertThatThrownBy(() -> options(Delivery.EXACTLY_ONCE, 900, Map.of()).checkTransactions(endless))
                .isInstanceOf(UserException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "transaction.timeout.ms,60000,--transaction-timeout",
        "group.id,x,--group-id",
        "isolation.level,read_uncommitted,only committed records",
        "auto.offset.reset,latest,committed offsets",
        "acks,1,allows no transactions",
        "enable.idempotence,false,allows no transactions",
    })
    void refusesPropertiesThatTheJobSetsItself(String name, String value, String remedy) {
        assertThatThrownBy(() -> options(Delivery.EXACTLY_ONCE, 900, Map.of(name, value)))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("--kafka-property " + name)
                .hasMessageContaining(remedy);
    }

    @Test
    void takesOtherProperties() {
        assertThatCode(() -> options(
                        Delivery.EXACTLY_ONCE,
                        900,
                        Map.of("acks", "all", "enable.idempotence", "true", "max.poll.interval.ms", "30000")))
                .doesNotThrowAnyException();
        assertThatCode(() -> options(Delivery.AT_LEAST_ONCE, 900, Map.of("acks", "1")))
                .doesNotThrowAnyException();
    }

    private static KafkaOptions options(Delivery delivery, int transactionSeconds, Map<String, String> properties) {
        return new KafkaOptions(
                "localhost:1",
                List.of("prompts"),
                "completions",
                null,
                "dlq",
                "group",
                delivery,
                Duration.ofSeconds(transactionSeconds),
                properties);
    }
}
