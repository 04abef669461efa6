package io.radixflow.job.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/** What committed readers got from an output topic and the dead letters: text of each custom_id, and who came twice. */
final class Answers implements AutoCloseable {

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Map<String, String> texts = new TreeMap<>();
    private final List<String> repeated = new ArrayList<>();
    private final List<String> deadLetters = new ArrayList<>();
    private long numTokens;

    Answers(TestCluster cluster, String topic) {
        consumer = cluster.reader(topic, TestCluster.DEAD_LETTERS);
    }

    /** Takes what is there; returns whether there was anything. */
    boolean poll() {
        int before = texts.size() + repeated.size() + deadLetters.size();
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(TestCluster.pollTime())) {
            JsonNode body = TestCluster.json(record.value());
            if (record.topic().equals(TestCluster.DEAD_LETTERS)) {
                deadLetters.add(new String(
                        record.headers().lastHeader("radixflow.error.message").value(),
                        java.nio.charset.StandardCharsets.UTF_8));
            } else {
                add(body);
            }
        }
        return texts.size() + repeated.size() + deadLetters.size() > before;
    }

    private void add(JsonNode body) {
        String id = body.path("custom_id").asText();
        String text = body.path("choices").path(0).path("text").asText();
        if (texts.put(id, text) != null) {
            repeated.add(id);
        }
        numTokens += body.path("usage").path("completion_tokens").asLong();
    }

    /** Waits for so many answers, and then as long as more come. @throws AssertionError if they do not within the time */
    Answers await(int numRecords, long seconds) {
        awaitFirst(numRecords, seconds);
        int numQuiet = 0;
        while (numQuiet < 4) {
            numQuiet = poll() ? 0 : numQuiet + 1;
        }
        return this;
    }

    /** Waits for so many answers. @throws AssertionError if they do not come within the time */
    void awaitFirst(int numRecords, long seconds) {
        long deadline = System.nanoTime() + seconds * 1_000_000_000L;
        while (texts.size() < numRecords) {
            poll();
            if (System.nanoTime() > deadline) {
                throw new AssertionError(texts.size() + " of " + numRecords + " answers after " + seconds
                        + " s; dead letters: " + deadLetters);
            }
        }
    }

    Map<String, String> texts() {
        return texts;
    }

    List<String> repeated() {
        return repeated;
    }

    List<String> deadLetters() {
        return deadLetters;
    }

    long numTokens() {
        return numTokens;
    }

    /** Ids whose text is not the same in both. */
    List<String> differences(Answers other) {
        List<String> ids = new ArrayList<>();
        Map<String, String> all = new HashMap<>(texts);
        other.texts.forEach(all::putIfAbsent);
        for (String id : all.keySet()) {
            if (!java.util.Objects.equals(texts.get(id), other.texts.get(id))) {
                ids.add(id);
            }
        }
        return ids;
    }

    @Override
    public void close() {
        consumer.close();
    }
}
