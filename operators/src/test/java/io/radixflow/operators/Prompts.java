package io.radixflow.operators;

import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.schemas.AnswerHead;
import io.radixflow.schemas.Prompt;
import io.radixflow.schemas.RecordHeader;
import io.radixflow.testkit.FakeEngine;
import io.radixflow.testkit.FakeTokenizer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Requests for tests, and what the fake engine answers to them. */
final class Prompts {

    static final long CREATED_MILLIS = 1_700_000_000_000L;

    private Prompts() {}

    static SourceRecord source(long offset, String value) {
        return new SourceRecord(
                ("key-" + offset).getBytes(StandardCharsets.UTF_8),
                value.getBytes(StandardCharsets.UTF_8),
                List.of(new RecordHeader("traceparent", new byte[] {7})),
                "prompts",
                0,
                offset,
                CREATED_MILLIS);
    }

    /** A completion request as JSON. */
    static String json(String prompt, String moreFields) {
        return "{\"prompt\":\"" + prompt + "\"" + moreFields + "}";
    }

    static PreparedRequest prepared(long offset, String prompt, SamplingParams sampling) {
        return prepared(source(offset, json(prompt, "")), prompt, sampling, false);
    }

    static PreparedRequest streamed(long offset, String prompt, SamplingParams sampling) {
        return prepared(source(offset, json(prompt, ",\"stream\":true")), prompt, sampling, true);
    }

    private static PreparedRequest prepared(
            SourceRecord source, String prompt, SamplingParams sampling, boolean isStream) {
        return prepared(source, prompt, sampling, AnswerShape.plain(isStream, true));
    }

    static PreparedRequest prepared(long offset, String prompt, SamplingParams sampling, AnswerShape shape) {
        return prepared(source(offset, json(prompt, "")), prompt, sampling, shape);
    }

    private static PreparedRequest prepared(
            SourceRecord source, String prompt, SamplingParams sampling, AnswerShape shape) {
        AnswerHead head = new AnswerHead(
                Prompt.Kind.CHAT, Prompt.Envelope.BODY, source.identity(), "fake", CREATED_MILLIS / 1000, "{\"a\":1}");
        return new PreparedRequest(source, head, shape, ids(prompt), sampling, false, null, 0, 0);
    }

    /** Greedy, to the last token: answers of a known length. */
    static SamplingParams exactly(int maxTokens) {
        return SamplingParams.builder()
                .temperature(0)
                .maxTokens(maxTokens)
                .ignoreEos(true)
                .build();
    }

    static int[] ids(String prompt) {
        return new FakeTokenizer().encode(prompt);
    }

    static String expectedText(PreparedRequest request) {
        return expectedText(request, 0);
    }

    static String expectedText(PreparedRequest request, int index) {
        return FakeEngine.expectedText(new GenerationRequest(0, request.promptIds(), request.samplingOf(index)));
    }
}
