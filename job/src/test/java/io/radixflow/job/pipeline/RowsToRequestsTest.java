package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.operators.SourceRecord;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RowsToRequestsTest {

    private static String request(
            @Nullable String column, @Nullable String template, @Nullable String defaults, String row) {
        return request(new RowsToRequests(column, template, null, defaults), row);
    }

    private static String request(RowsToRequests requests, String row) {
        SourceRecord source = source(row);
        ObjectNode object = Objects.requireNonNull(RowsToRequests.parse(source));
        return requests.request(source, object).toString();
    }

    private static SourceRecord source(String row) {
        return new SourceRecord(null, row.getBytes(UTF_8), List.of(), "rows.jsonl", 0, 7, SourceRecord.NO_TIMESTAMP);
    }

    @Test
    void aBodyGetsAnIdentityAndTheDefaultsThatItLacks() {
        assertThat(request(
                        null, null, "{\"max_tokens\": 8, \"temperature\": 0}", "{\"prompt\":\"a\",\"max_tokens\":4}"))
                .isEqualTo("{\"prompt\":\"a\",\"max_tokens\":4,\"custom_id\":\"rows.jsonl:7\",\"temperature\":0}");
    }

    @Test
    void aDefaultGivesWayToAnotherFieldThatSaysTheSame() {
        assertThat(request(
                        null,
                        null,
                        "{\"max_tokens\": 8, \"response_format\": {\"type\": \"json_object\"}, \"n\": 2}",
                        "{\"prompt\":\"a\",\"max_completion_tokens\":4,\"choice\":[\"b\"]}"))
                .isEqualTo("{\"prompt\":\"a\",\"max_completion_tokens\":4,\"choice\":[\"b\"],"
                        + "\"custom_id\":\"rows.jsonl:7\",\"n\":2}");
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

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"text\": null}"})
    void namesTheColumnThatARowLacks(String row) {
        ObjectNode object = Objects.requireNonNull(RowsToRequests.parse(source(row)));
        assertThat(new RowsToRequests("text", null, null, null).missing(object)).isEqualTo("text");
        assertThat(new RowsToRequests(null, "a {text}", null, null).missing(object))
                .isEqualTo("text");
        assertThat(new RowsToRequests(null, null, null, null).missing(object)).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"[1]", "{broken", "{\"a\": 1} {}", "{\"a\": 1, \"a\": 2}", ""})
    void whatIsNoJsonObjectIsLeftToThePipeline(String row) {
        assertThat(RowsToRequests.parse(source(row))).isNull();
    }

    @Test
    void theIdentityComesFromTheColumnThatIsNamed() {
        assertThat(request(new RowsToRequests("q", null, "id", null), "{\"id\": 17, \"q\": \"a\"}"))
                .contains("\"custom_id\":\"17\"");
        assertThat(request(new RowsToRequests("q", null, "id", null), "{\"q\": \"a\"}"))
                .contains("\"custom_id\":\"rows.jsonl:7\"");
    }

    @Test
    void refusesDefaultsThatAreNoObject() {
        assertThatThrownBy(() -> new RowsToRequests(null, null, null, "[]"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no JSON object");
    }
}
