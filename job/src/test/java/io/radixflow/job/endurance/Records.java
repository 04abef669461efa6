package io.radixflow.job.endurance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Sends numbered requests to a topic and follows their answers: each number once, none as a dead letter. */
final class Records implements AutoCloseable {

    private static final String[] PREFIXES = {
        "You sort tickets of a telephone shop by what they are about. The kinds are bill, line, device and other. The ticket: ",
        "Translate the following sentence to French, keep its tone, and add nothing of your own. The sentence: ",
        "Is the review below good, bad or neither? Answer with one word and do not explain yourself. The review: ",
        "Write a title of at most eight words for the article that begins so: ",
    };
    private static final Pattern COMPLETION_TOKENS = Pattern.compile("\"completion_tokens\":(\\d+)");
    private static final Duration LONGEST_SILENCE = Duration.ofMinutes(2);

    private final String bootstrapServers;
    private final String input;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final BitSet answered = new BitSet();
    private long completionTokens;
    private long firstAnswerMillis;
    private long firstReadMillis;

    /** @param isolation of the reader */
    Records(String bootstrapServers, String input, String output, String deadLetters, String isolation) {
        this.bootstrapServers = bootstrapServers;
        this.input = input;
        consumer = new KafkaConsumer<>(
                Map.of(
                        ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        bootstrapServers,
                        ConsumerConfig.GROUP_ID_CONFIG,
                        "reader-of-" + output,
                        ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                        "earliest",
                        ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                        isolation),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        consumer.subscribe(List.of(output, deadLetters));
        consumer.poll(Duration.ofMillis(100));
    }

    /** Sends the requests of the numbers {@code [from, to)}, each for so many tokens. */
    void send(int from, int to, int maxTokens) {
        Map<String, Object> config = Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers,
                ProducerConfig.LINGER_MS_CONFIG, "20",
                ProducerConfig.BATCH_SIZE_CONFIG, "262144");
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = from; i < to; i++) {
                String value = "{\"prompt\":\"" + PREFIXES[i % PREFIXES.length] + "number " + i
                        + " of many.\",\"max_tokens\":" + maxTokens + ",\"ignore_eos\":true}";
                var unused = producer.send(
                        new ProducerRecord<>(input, Integer.toString(i).getBytes(UTF_8), value.getBytes(UTF_8)));
            }
        }
    }

    /** Reads until so many answers are there. */
    void awaitAnswers(int number) {
        await(() -> answered.cardinality() >= number);
    }

    void await(BooleanSupplier isDone) {
        long lastNanos = System.nanoTime();
        while (!isDone.getAsBoolean()) {
            if (poll(Duration.ofMillis(100)) > 0) {
                lastNanos = System.nanoTime();
            }
            if (System.nanoTime() - lastNanos > LONGEST_SILENCE.toNanos()) {
                throw new AssertionError("no answer for " + LONGEST_SILENCE + ", there are " + answered.cardinality());
            }
        }
    }

    int poll(Duration longest) {
        int polled = 0;
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(longest)) {
            String value = new String(record.value(), UTF_8);
            Matcher tokens = COMPLETION_TOKENS.matcher(value);
            int number = Integer.parseInt(new String(record.key(), UTF_8));
            if (answered.get(number) || !tokens.find()) {
                throw new AssertionError("twice, or a dead letter: " + record.headers() + " " + value);
            }
            if (answered.isEmpty()) {
                firstAnswerMillis = record.timestamp();
                firstReadMillis = System.currentTimeMillis();
            }
            answered.set(number);
            completionTokens += Long.parseLong(tokens.group(1));
            polled++;
        }
        return polled;
    }

    int numAnswers() {
        return answered.cardinality();
    }

    long completionTokens() {
        return completionTokens;
    }

    /** When the broker's record of the first answer was made, in milliseconds since the epoch. */
    long firstAnswerMillis() {
        return firstAnswerMillis;
    }

    /** When we had read it. */
    long firstReadMillis() {
        return firstReadMillis;
    }

    /** Answers a second from one count of answers to another, which must lie ahead. */
    double rate(int from, int to) {
        awaitAnswers(from);
        int first = answered.cardinality();
        long start = System.nanoTime();
        awaitAnswers(to);
        return (answered.cardinality() - first) / ((System.nanoTime() - start) / (double) TimeUnit.SECONDS.toNanos(1));
    }

    @Override
    public void close() {
        consumer.close();
    }
}
