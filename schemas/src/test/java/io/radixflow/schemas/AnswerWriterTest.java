package io.radixflow.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class AnswerWriterTest {

    private static final AnswerHead CHAT = new AnswerHead(PromptRecord.Kind.CHAT, "id-1", "tiny", 1_700_000_000L);
    private static final AnswerHead COMPLETION =
            new AnswerHead(PromptRecord.Kind.COMPLETION, "id-1", "tiny", 1_700_000_000L);

    @Test
    void writesAChatCompletionByteForByte() {
        byte[] json = CompletionWriter.write(
                CHAT, "He said \"hi\" é", CompletionFinish.STOP, new Usage(10, 4, 3), "{\"a\":1.10}");

        assertThat(text(json))
                .isEqualTo("{\"id\":\"" + CHAT.id()
                        + "\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"tiny\","
                        + "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"He said \\\"hi\\\" é\"},"
                        + "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":10,"
                        + "\"completion_tokens\":3,\"total_tokens\":13,\"prompt_tokens_details\":{\"cached_tokens\":4}},"
                        + "\"custom_id\":\"id-1\",\"metadata\":{\"a\":1.10}}");
    }

    @Test
    void writesATextCompletion() throws Exception {
        JsonNode json =
                read(CompletionWriter.write(COMPLETION, "x", CompletionFinish.LENGTH, new Usage(1, 0, 1), null));

        assertThat(json.path("object").asText()).isEqualTo("text_completion");
        assertThat(json.path("id").asText()).startsWith("cmpl-");
        assertThat(json.at("/choices/0/text").asText()).isEqualTo("x");
        assertThat(json.at("/choices/0/finish_reason").asText()).isEqualTo("length");
        assertThat(json.has("metadata")).isFalse();
    }

    @Test
    void writesChunksFromTheRoleToTheUsage() throws Exception {
        JsonNode first = read(ChunkWriter.first(CHAT));
        JsonNode delta = read(ChunkWriter.delta(CHAT, "lo"));
        JsonNode last = read(ChunkWriter.last(CHAT, CompletionFinish.ABORT, new Usage(5, 2, 1)));

        assertThat(first.path("object").asText()).isEqualTo("chat.completion.chunk");
        assertThat(first.at("/choices/0/delta/role").asText()).isEqualTo("assistant");
        assertThat(first.at("/choices/0/finish_reason").isNull()).isTrue();
        assertThat(delta.at("/choices/0/delta/content").asText()).isEqualTo("lo");
        assertThat(delta.at("/choices/0/delta").has("role")).isFalse();
        assertThat(last.at("/choices/0/delta").isEmpty()).isTrue();
        assertThat(last.at("/choices/0/finish_reason").asText()).isEqualTo("abort");
        assertThat(last.at("/usage/prompt_tokens_details/cached_tokens").asInt())
                .isEqualTo(2);
        assertThat(read(ChunkWriter.last(CHAT, CompletionFinish.STOP, null)).has("usage"))
                .isFalse();
        assertThat(read(ChunkWriter.delta(COMPLETION, "lo"))
                        .at("/choices/0/text")
                        .asText())
                .isEqualTo("lo");
    }

    @Test
    void derivesTheIdFromTheCustomIdAlone() {
        assertThat(CHAT.id()).isEqualTo(new AnswerHead(PromptRecord.Kind.CHAT, "id-1", "other", 1).id());
        assertThat(CHAT.id()).isNotEqualTo(new AnswerHead(PromptRecord.Kind.CHAT, "id-2", "tiny", 1).id());
    }

    @Test
    void addsWhatWentWrongToADeadLettersHeaders() {
        RecordHeader trace = new RecordHeader("traceparent", new byte[] {1});
        DeadLetter letter = new DeadLetter(
                null, null, java.util.List.of(trace), ErrorCode.INVALID_REQUEST, "no", "parse", "prompts", 2, 7);

        assertThat(letter.allHeaders().get(0)).isSameAs(trace);
        assertThat(letter.allHeaders().stream().skip(1).map(header -> header.key() + "=" + text(header.value())))
                .containsExactly(
                        "radixflow.error.code=invalid_request",
                        "radixflow.error.message=no",
                        "radixflow.error.stage=parse",
                        "radixflow.source.topic=prompts",
                        "radixflow.source.partition=2",
                        "radixflow.source.offset=7");
    }

    @Test
    void findsErrorCodesByTheirWireNames() {
        for (ErrorCode code : ErrorCode.values()) {
            assertThat(ErrorCode.ofWireName(code.wireName())).isSameAs(code);
        }
    }

    private static JsonNode read(byte[] json) throws Exception {
        return new ObjectMapper().readTree(json);
    }

    private static String text(byte @Nullable [] bytes) {
        return bytes == null ? "null" : new String(bytes, StandardCharsets.UTF_8);
    }
}
