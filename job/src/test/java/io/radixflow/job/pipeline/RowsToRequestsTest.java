package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.operators.SourceRecord;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RowsToRequestsTest {

    private static String request(
            @Nullable String column, @Nullable String template, @Nullable String defaults, String row) {
        SourceRecord source =
                new SourceRecord(null, row.getBytes(UTF_8), List.of(), "rows.jsonl", 0, 7, SourceRecord.NO_TIMESTAMP);
        byte[] value =
                new RowsToRequests(column, template, defaults).request(source).value();
        return value == null ? "null" : new String(value, UTF_8);
    }

    @Test
    void aBodyGetsAnIdentityAndTheDefaultsThatItLacks() {
        assertThat(request(
                        null, null, "{\"max_tokens\": 8, \"temperature\": 0}", "{\"prompt\":\"a\",\"max_tokens\":4}"))
                .isEqualTo("{\"prompt\":\"a\",\"max_tokens\":4,\"custom_id\":\"rows.jsonl:7\",\"temperature\":0}");
    }

    @Test
    void aBatchLineGetsAnIdentityAndItsBodyTheDefaults() {
        assertThat(request(
                        null,
                        null,
                        "{\"max_tokens\": 8}",
                        "{\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{\"prompt\":\"a\"}}"))
                .isEqualTo(
                        "{\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{\"prompt\":\"a\",\"max_tokens\":8},"
                                + "\"custom_id\":\"rows.jsonl:7\"}");
    }

    @Test
    void aColumnBecomesTheUserMessage() {
        assertThat(request("text", null, null, "{\"text\":\"hi \\\"you\\\"\",\"other\":1}"))
                .isEqualTo("{\"messages\":[{\"role\":\"user\",\"content\":\"hi \\\"you\\\"\"}],"
                        + "\"custom_id\":\"rows.jsonl:7\"}");
    }

    @Test
    void aTemplateIsFilledOnceAndNeverFromItsOwnValues() {
        assertThat(request(null, "{a} and {b}, $1", null, "{\"a\":\"{b}\",\"b\":2}"))
                .contains("\"content\":\"{b} and 2, $1\"");
    }

    @Test
    void aRowWithoutTheColumnAsksWithoutContentSoThatThePipelineRefusesIt() {
        assertThat(request("text", null, null, "{}")).contains("\"content\":null");
    }

    @Test
    void whatIsNoJsonObjectPassesUntouched() {
        assertThat(request("text", null, "{\"n\": 1}", "[1]")).isEqualTo("[1]");
        assertThat(request("text", null, null, "{broken")).isEqualTo("{broken");
    }

    @Test
    void refusesDefaultsThatAreNoObject() {
        assertThatThrownBy(() -> new RowsToRequests(null, null, "[]"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no JSON object");
    }
}
