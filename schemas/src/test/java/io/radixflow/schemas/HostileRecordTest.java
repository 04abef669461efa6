package io.radixflow.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The largest records that are read, filled with what costs most: memory and time stay bounded, with an answer or a refusal. */
class HostileRecordTest {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long MAX_ALLOCATED_BYTES = 800L << 20; // garbage included
    private static final long MAX_CPU_NANOS = 20_000_000_000L;
    private static final String METADATA = "{\"prompt\":\"a\",\"metadata\":{\"a\":[0";

    private final PromptParser parser = new PromptParser(RecordFormat.JSON);

    @ParameterizedTest
    @ValueSource(
            strings = {
                ",[]",
                ",{}",
                ",[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
                ",1.5",
                ",1e9999999",
                ",99999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999",
                ",\"\"",
                ",{\"a\":null}",
            })
    void metadataFullOfSmallValues(String value) {
        assertBounded(filled(METADATA, value, "]}}"));
    }

    @Test
    void promptsAndMessagesWithoutEnd() {
        assertBounded(filled("{\"prompt\":[0", ",1", "]}"));
        assertBounded(filled("{\"prompt\":[[0]", ",[1]", "]}"));
        assertBounded(filled("{\"messages\":[{\"role\":\"user\",\"content\":\"\"}", ",{}", "]}"));
        assertBounded(filled("{\"messages\":[{\"role\":\"user\",\"content\":[{}", ",{}", "]}]}"));
        assertBounded(filled("{\"prompt\":\"", "\\u00e9", "\"}"));
        assertBounded(filled("{\"prompt\":\"a\",\"stop\":[\"a\"", ",\"a\"", "]}"));
    }

    /** All names have one hash code. */
    @Test
    void namesThatCollide() {
        StringBuilder json = new StringBuilder("{\"prompt\":\"a\",\"metadata\":{\"a\":0");
        for (int key = 0; json.length() < JsonReader.MAX_BYTES / 2; key++) {
            json.append(",\"");
            for (int bit = 0; bit < 20; bit++) {
                json.append((key >> bit & 1) == 0 ? "Aa" : "BB");
            }
            json.append("\":0");
        }
        assertBounded(json.append("}}").toString());
    }

    @Test
    void namesTheLimitOfValues() {
        assertThat(refusal(filled(METADATA, ",[]", "]}}"))).contains("Token count", "1500000");
        assertThat(refusal(METADATA + ",[]".repeat(700_000) + "]}}")).isEmpty();
    }

    private static String filled(String head, String value, String tail) {
        int times = (JsonReader.MAX_BYTES - head.length() - tail.length()) / value.length();
        return head + value.repeat(times) + tail;
    }

    private void assertBounded(String json) {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        long allocated = THREADS.getCurrentThreadAllocatedBytes();
        long nanos = THREADS.getCurrentThreadCpuTime();
        refusal(bytes);
        assertThat(THREADS.getCurrentThreadAllocatedBytes() - allocated).isLessThan(MAX_ALLOCATED_BYTES);
        assertThat(THREADS.getCurrentThreadCpuTime() - nanos).isLessThan(MAX_CPU_NANOS);
    }

    private String refusal(String json) {
        return refusal(json.getBytes(StandardCharsets.UTF_8));
    }

    /** Why it is refused, or empty. */
    private String refusal(byte[] json) {
        try {
            parser.parse(json);
            return "";
        } catch (RecordException e) {
            return e.reason();
        }
    }
}
