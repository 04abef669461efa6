package io.radixflow.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.schemas.TokenScore.TopScore;
import io.radixflow.schemas.avro.CompletionRecord;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class AnswerWriterTest {

    private static final AnswerHead CHAT = head(Prompt.Kind.CHAT, Prompt.Envelope.BODY);
    private static final AnswerHead COMPLETION = head(Prompt.Kind.COMPLETION, Prompt.Envelope.BODY);
    private static final byte[] HALF_A_CHARACTER = {(byte) 0xe2, (byte) 0x80};

    private static final List<TokenScore> SCORES = List.of(
            new TokenScore(7, bytes("é"), -0.5f, List.of(new TopScore(7, bytes("é"), -0.5f))),
            new TokenScore(
                    8,
                    HALF_A_CHARACTER,
                    Float.NEGATIVE_INFINITY,
                    List.of(new TopScore(9, bytes("x"), -0.25f), new TopScore(10, bytes("x"), -3f))));

    @Test
    void writesAChatCompletionByteForByte() {
        AnswerChoice choice = new AnswerChoice(
                0, "He said \"hi\" é", null, CompletionFinish.STOP, new StopMatch(2, null), null, null, new int[] {1});
        byte[] json = CompletionWriter.write(CHAT, List.of(choice), new Usage(10, 4, 3, null));

        assertThat(text(json))
                .isEqualTo("{\"id\":\"" + CHAT.id()
                        + "\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"tiny\","
                        + "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"He said \\\"hi\\\" é\"},"
                        + "\"logprobs\":null,\"finish_reason\":\"stop\",\"matched_stop\":2}],\"usage\":{\"prompt_tokens\":10,"
                        + "\"completion_tokens\":3,\"total_tokens\":13,\"prompt_tokens_details\":{\"cached_tokens\":4}},"
                        + "\"custom_id\":\"id-1\",\"metadata\":{\"a\":1.10}}");
    }

    @Test
    void writesATextCompletionWithAllItsChoices() throws Exception {
        JsonNode json = read(
                CompletionWriter.write(COMPLETION, List.of(plain(0, "x"), plain(1, "y")), new Usage(1, 0, 2, null)));

        assertThat(json.path("object").asText()).isEqualTo("text_completion");
        assertThat(json.path("id").asText()).startsWith("cmpl-");
        assertThat(json.at("/choices/0/text").asText()).isEqualTo("x");
        assertThat(json.at("/choices/1/text").asText()).isEqualTo("y");
        assertThat(json.at("/choices/1/index").asInt()).isEqualTo(1);
        assertThat(json.at("/choices/0/finish_reason").asText()).isEqualTo("length");
        assertThat(json.at("/choices/0/matched_stop").isNull()).isTrue();
    }

    @Test
    void writesReasoningBesideTheContentAndItsTokens() throws Exception {
        AnswerChoice choice = new AnswerChoice(
                0, "4", "2 and 2", CompletionFinish.STOP, new StopMatch(0, "END"), null, null, new int[] {1, 2});
        JsonNode json = read(CompletionWriter.write(CHAT, List.of(choice), new Usage(1, 0, 2, 1)));

        assertThat(json.at("/choices/0/message/reasoning_content").asText()).isEqualTo("2 and 2");
        assertThat(json.at("/choices/0/message/content").asText()).isEqualTo("4");
        assertThat(json.at("/choices/0/matched_stop").asText()).isEqualTo("END");
        assertThat(json.at("/usage/completion_tokens_details/reasoning_tokens").asInt())
                .isEqualTo(1);
    }

    @Test
    void writesLogprobsAsChatClientsReadThem() throws Exception {
        JsonNode logprobs = read(CompletionWriter.write(CHAT, List.of(scored()), new Usage(1, 0, 2, null)))
                .at("/choices/0/logprobs/content");

        assertThat(logprobs.at("/0/token").asText()).isEqualTo("é");
        assertThat(logprobs.at("/0/bytes").toString()).isEqualTo("[195,169]");
        assertThat(logprobs.at("/0/logprob").asDouble()).isEqualTo(-0.5);
        assertThat(logprobs.at("/0/top_logprobs/0/token").asText()).isEqualTo("é");
        assertThat(logprobs.at("/1/token").asText()).isEqualTo("bytes:\\xe2\\x80");
        assertThat(logprobs.at("/1/logprob").asDouble()).isEqualTo(-9999);
        assertThat(logprobs.at("/1/top_logprobs/1/logprob").asDouble()).isEqualTo(-3);
    }

    @Test
    void writesLogprobsAsCompletionClientsReadThem() throws Exception {
        JsonNode logprobs = read(CompletionWriter.write(COMPLETION, List.of(scored()), new Usage(1, 0, 2, null)))
                .at("/choices/0/logprobs");

        assertThat(logprobs.path("tokens").toString()).isEqualTo("[\"é\",\"bytes:\\\\xe2\\\\x80\"]");
        assertThat(logprobs.path("token_logprobs").toString()).isEqualTo("[-0.5,-9999.0]");
        assertThat(logprobs.path("top_logprobs").toString()).isEqualTo("[{\"é\":-0.5},{\"x\":-0.25}]");
        assertThat(logprobs.path("text_offset").toString()).isEqualTo("[0,1]");
    }

    @Test
    void writesPromptLogprobsByTokenId() throws Exception {
        JsonNode scores = read(CompletionWriter.write(COMPLETION, List.of(scored()), new Usage(1, 0, 2, null)))
                .at("/choices/0/prompt_logprobs");

        assertThat(scores.get(0).isNull()).isTrue();
        assertThat(scores.get(1).toString())
                .isEqualTo("{\"9\":{\"logprob\":-0.25,\"rank\":1,\"decoded_token\":\"x\"},"
                        + "\"10\":{\"logprob\":-3.0,\"rank\":2,\"decoded_token\":\"x\"},"
                        + "\"8\":{\"logprob\":-9999.0,\"rank\":null,\"decoded_token\":\"bytes:\\\\xe2\\\\x80\"}}");
    }

    @Test
    void writesABatchOutputLine() throws Exception {
        AnswerHead head = head(Prompt.Kind.CHAT, Prompt.Envelope.BATCH_LINE);
        JsonNode line = read(CompletionWriter.write(head, List.of(plain(0, "x")), new Usage(1, 0, 1, null)));

        assertThat(line.path("custom_id").asText()).isEqualTo("id-1");
        assertThat(line.path("id").asText()).startsWith("batch_req_");
        assertThat(line.path("error").isNull()).isTrue();
        assertThat(line.at("/response/status_code").asInt()).isEqualTo(200);
        assertThat(line.at("/response/request_id").asText()).startsWith("req_");
        assertThat(line.at("/response/body/object").asText()).isEqualTo("chat.completion");
        assertThat(line.at("/response/body/choices/0/message/content").asText()).isEqualTo("x");
        assertThat(line.at("/response/body/metadata").toString()).isEqualTo("{\"a\":1.1}");
        assertThat(line.at("/response/body").has("custom_id")).isFalse();
    }

    @Test
    void writesAnAvroRecord() throws Exception {
        AnswerHead head = head(Prompt.Kind.COMPLETION, Prompt.Envelope.AVRO);
        CompletionRecord record = AvroAnswers.decode(
                CompletionWriter.write(head, List.of(scored(), plain(1, "y")), new Usage(5, 2, 3, 1)));

        assertThat(record.getCustomId()).isEqualTo("id-1");
        assertThat(record.getModel()).isEqualTo("tiny");
        assertThat(record.getCreated()).isEqualTo(1_700_000_000L);
        assertThat(record.getMetadata()).isEqualTo("{\"a\":1.10}");
        assertThat(record.getUsage().getTotalTokens()).isEqualTo(8);
        assertThat(record.getUsage().getReasoningTokens()).isEqualTo(1);
        var first = record.getChoices().get(0);
        assertThat(first.getTokenIds()).containsExactly(7, 8);
        assertThat(first.getMatchedStop()).isEqualTo("END");
        assertThat(first.getLogprobs()).hasSize(2);
        assertThat(first.getLogprobs().get(1).getToken().array()).isEqualTo(HALF_A_CHARACTER);
        assertThat(first.getLogprobs().get(1).getTop().get(0).getLogprob()).isEqualTo(-0.25f);
        assertThat(first.getPromptLogprobs().get(0).getLogprob()).isNull();
        assertThat(record.getChoices().get(1).getText()).isEqualTo("y");
        assertThat(record.getChoices().get(1).getLogprobs()).isNull();
    }

    @Test
    void writesChunksFromTheRoleToTheUsage() throws Exception {
        JsonNode first = read(ChunkWriter.first(CHAT, 1));
        JsonNode delta = read(ChunkWriter.delta(CHAT, new AnswerPiece(1, "lo", "", null, 0)));
        JsonNode last = read(ChunkWriter.last(CHAT, 1, CompletionFinish.ABORT, null, new Usage(5, 2, 1, null)));

        assertThat(first.path("object").asText()).isEqualTo("chat.completion.chunk");
        assertThat(first.at("/choices/0/index").asInt()).isEqualTo(1);
        assertThat(first.at("/choices/0/delta/role").asText()).isEqualTo("assistant");
        assertThat(first.at("/choices/0/finish_reason").isNull()).isTrue();
        assertThat(delta.at("/choices/0/delta/content").asText()).isEqualTo("lo");
        assertThat(delta.at("/choices/0/delta").has("role")).isFalse();
        assertThat(last.at("/choices/0/delta").isEmpty()).isTrue();
        assertThat(last.at("/choices/0/finish_reason").asText()).isEqualTo("abort");
        assertThat(last.at("/usage/prompt_tokens_details/cached_tokens").asInt())
                .isEqualTo(2);
        assertThat(read(ChunkWriter.last(CHAT, 0, CompletionFinish.STOP, null, null))
                        .has("usage"))
                .isFalse();
    }

    @Test
    void writesChunksOfReasoningAndOfCompletions() throws Exception {
        JsonNode thought = read(ChunkWriter.delta(CHAT, new AnswerPiece(0, "", "hm", null, 0)));
        JsonNode text = read(ChunkWriter.delta(COMPLETION, new AnswerPiece(0, "lo", "", SCORES, 5)));

        assertThat(thought.at("/choices/0/delta").toString()).isEqualTo("{\"reasoning_content\":\"hm\"}");
        assertThat(text.at("/choices/0/text").asText()).isEqualTo("lo");
        assertThat(text.at("/choices/0/logprobs/text_offset").toString()).isEqualTo("[5,6]");
    }

    @Test
    void derivesTheIdFromTheCustomIdAlone() {
        assertThat(CHAT.id())
                .isEqualTo(new AnswerHead(Prompt.Kind.CHAT, Prompt.Envelope.AVRO, "id-1", "other", 1, null).id());
        assertThat(CHAT.id())
                .isNotEqualTo(new AnswerHead(Prompt.Kind.CHAT, Prompt.Envelope.BODY, "id-2", "tiny", 1, null).id());
    }

    @Test
    void addsWhatWentWrongToADeadLettersHeaders() {
        RecordHeader trace = new RecordHeader("traceparent", new byte[] {1});
        DeadLetter letter =
                new DeadLetter(null, null, List.of(trace), ErrorCode.INVALID_REQUEST, "no", "parse", "prompts", 2, 7);

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

    private static AnswerHead head(Prompt.Kind kind, Prompt.Envelope envelope) {
        return new AnswerHead(kind, envelope, "id-1", "tiny", 1_700_000_000L, "{\"a\":1.10}");
    }

    private static AnswerChoice plain(int index, String text) {
        return new AnswerChoice(index, text, null, CompletionFinish.LENGTH, null, null, null, new int[] {3});
    }

    private static AnswerChoice scored() {
        List<TokenScore> promptScores = List.of(new TokenScore(1, bytes("a"), null, List.of()), SCORES.get(1));
        StopMatch stop = new StopMatch(0, "END");
        return new AnswerChoice(0, "é?", null, CompletionFinish.STOP, stop, SCORES, promptScores, new int[] {7, 8});
    }

    private static JsonNode read(byte[] json) throws Exception {
        return new ObjectMapper().readTree(json);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte @Nullable [] bytes) {
        return bytes == null ? "null" : new String(bytes, StandardCharsets.UTF_8);
    }
}
