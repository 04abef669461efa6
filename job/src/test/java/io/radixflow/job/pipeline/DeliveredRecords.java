package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.job.kafka.Delivery;
import io.radixflow.schemas.DeadLetter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/** What a job wrote to its topics, by request. Each record's id is in a header of its input, and its key is that id or null. */
final class DeliveredRecords {

    static final String ID_HEADER = "traceparent";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, List<String>> texts = new TreeMap<>();
    private final Map<String, List<String>> deadLetters = new TreeMap<>();
    private final Map<String, List<JsonNode>> chunks = new TreeMap<>();
    private final Map<String, Set<Integer>> chunkPartitions = new TreeMap<>();

    void add(ConsumerRecord<byte[], byte[]> record) {
        String id = new String(record.headers().lastHeader(ID_HEADER).value(), UTF_8);
        if (record.key() != null) {
            assertThat(new String(record.key(), UTF_8)).isEqualTo(id);
        }
        assertThat(record.key() == null).isEqualTo(Integer.parseInt(id.substring(1)) % 3 == 0);
        switch (record.topic()) {
            case "completions" -> {
                JsonNode body = json(record.value());
                assertThat(body.path("custom_id").asText()).isEqualTo(id);
                add(texts, id, body.at("/choices/0/text").asText());
            }
            case "deltas" -> {
                JsonNode chunk = json(record.value());
                assertThat(chunk.path("custom_id").asText()).isEqualTo(id);
                add(chunks, id, chunk);
                chunkPartitions.computeIfAbsent(id, key -> new TreeSet<>()).add(record.partition());
            }
            default -> {
                assertThat(record.headers().lastHeader(DeadLetter.CODE_HEADER).value())
                        .isEqualTo("invalid_json".getBytes(UTF_8));
                add(deadLetters, id, new String(record.value(), UTF_8));
            }
        }
    }

    private static <T> void add(Map<String, List<T>> map, String id, T value) {
        map.computeIfAbsent(id, key -> new ArrayList<>()).add(value);
    }

    private static JsonNode json(byte @Nullable [] value) {
        try {
            return JSON.readTree(value);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Requests with a result of any kind. */
    int numResults() {
        return texts.size() + deadLetters.size();
    }

    /** Each of the ids has its result, and only those; once, where the delivery says so. */
    void assertComplete(List<String> answered, List<String> dead, Delivery delivery) {
        assertThat(texts.keySet()).containsExactlyInAnyOrderElementsOf(answered);
        assertThat(deadLetters.keySet()).containsExactlyInAnyOrderElementsOf(dead);
        assertThat(chunks.keySet()).containsExactlyInAnyOrderElementsOf(answered);
        deadLetters.values().forEach(all -> assertThat(all).containsOnly("{\"prompt\": "));
        for (String id : answered) {
            List<String> answers = texts.getOrDefault(id, List.of());
            List<JsonNode> stream = chunks.getOrDefault(id, List.of());
            String text = answers.get(0);
            assertThat(answers).as("answers to %s", id).containsOnly(text);
            assertThat(chunkPartitions.get(id)).as("partitions of %s", id).hasSize(1);
            if (delivery == Delivery.EXACTLY_ONCE) {
                assertThat(answers).hasSize(1);
                assertThat(isWholeStream(stream, text, 0))
                        .as("chunks of %s", id)
                        .isTrue();
            } else {
                assertThat(hasNoGap(stream, text)).as("chunks of %s", id).isTrue();
            }
        }
        if (delivery == Delivery.EXACTLY_ONCE) {
            deadLetters.values().forEach(all -> assertThat(all).hasSize(1));
        }
    }

    /** A stream from the first chunk to anywhere, then, if a restart came between, one from anywhere before that to its end. */
    private static boolean hasNoGap(List<JsonNode> stream, String text) {
        if (isWholeStream(stream, text, 0)) {
            return true;
        }
        for (int restart = 0; restart < stream.size(); restart++) {
            String before = textOf(stream.subList(0, restart));
            String after = textOf(stream.subList(restart, stream.size()));
            int from = text.length() - after.length();
            if (text.startsWith(before)
                    && from <= before.length()
                    && isWholeStream(stream.subList(restart, stream.size()), text, from)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the chunks carry the text from an index on and only the last one ends it, with the usage. */
    private static boolean isWholeStream(List<JsonNode> stream, String text, int from) {
        for (int i = 0; i < stream.size(); i++) {
            boolean isLast = i == stream.size() - 1;
            if (stream.get(i).at("/choices/0/finish_reason").isTextual() != isLast
                    || stream.get(i).has("usage") != isLast) {
                return false;
            }
        }
        return from >= 0 && !stream.isEmpty() && text.substring(from).equals(textOf(stream));
    }

    private static String textOf(List<JsonNode> stream) {
        StringBuilder text = new StringBuilder();
        for (JsonNode chunk : stream) {
            text.append(chunk.at("/choices/0/text").asText());
        }
        return text.toString();
    }
}
