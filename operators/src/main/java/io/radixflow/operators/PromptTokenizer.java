package io.radixflow.operators;

import io.radixflow.engine.SamplingParams;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.schemas.PromptRecord;
import io.radixflow.schemas.RecordException;
import io.radixflow.schemas.SamplingFields;
import io.radixflow.text.ChatTemplate;
import io.radixflow.text.TextModel;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns a parsed prompt into token ids and engine parameters: renders the chat template, encodes, checks what fits. */
final class PromptTokenizer {

    private final TextModel text;
    private final long randomSeed;

    PromptTokenizer(TextModel text, long randomSeed) {
        this.text = text;
        this.randomSeed = randomSeed;
    }

    /**
     * Takes {@code nowMillis} as the creation time of a record without a timestamp.
     *
     * @throws RecordException {@code context_length_exceeded}, or {@code invalid_request} if the template refuses the messages
     */
    PreparedRequest tokenize(SourceRecord source, PromptRecord prompt, long nowMillis) throws RecordException {
        int[] promptIds = text.tokenizer().encode(promptText(prompt));
        if (promptIds.length == 0) {
            throw invalid("the prompt has no tokens");
        }
        String customId = prompt.customId() == null ? source.identity() : prompt.customId();
        SamplingFields fields = prompt.sampling();
        int maxTokens = maxTokens(promptIds.length, fields.maxTokens());
        return new PreparedRequest(
                source,
                prompt.kind(),
                customId,
                text.name(),
                prompt.metadataJson(),
                promptIds,
                sampling(fields, maxTokens, customId),
                fields.maxTokens() == null,
                prompt.cacheSalt(),
                prompt.isStream(),
                prompt.hasStreamUsage(),
                source.timestamp() < 0 ? nowMillis : source.timestamp(),
                0);
    }

    private String promptText(PromptRecord prompt) throws RecordException {
        if (prompt.prompt() != null) {
            return prompt.prompt();
        }
        ChatTemplate template = text.chatTemplate();
        if (template == null) {
            throw invalid("messages need a chat template and the model has none; send prompt, or set --chat-template");
        }
        Map<String, @Nullable Object> variables = new HashMap<>(prompt.chatTemplateKwargs());
        variables.put("messages", prompt.messages());
        variables.put("tools", null);
        variables.put("documents", null);
        variables.put("bos_token", text.bosToken());
        variables.put("eos_token", text.eosToken());
        variables.put("add_generation_prompt", true);
        try {
            return template.render(variables);
        } catch (IllegalArgumentException e) {
            throw invalid("messages do not fit the model's chat template: " + e.getMessage());
        }
    }

    private int maxTokens(int promptLen, @Nullable Integer wanted) throws RecordException {
        int room = text.contextLen() - promptLen;
        if (room < 1) {
            throw new RecordException(
                    ErrorCode.CONTEXT_LENGTH_EXCEEDED,
                    "the prompt has " + promptLen + " tokens, the context " + text.contextLen()
                            + " with at least 1 for the answer; shorten the prompt");
        }
        if (wanted != null && wanted > room) {
            throw new RecordException(
                    ErrorCode.CONTEXT_LENGTH_EXCEEDED,
                    "the prompt has " + promptLen + " tokens and max_tokens is " + wanted + ", the context has "
                            + text.contextLen() + "; ask for at most " + room + " tokens");
        }
        return wanted == null ? room : wanted;
    }

    private SamplingParams sampling(SamplingFields fields, int maxTokens, String customId) throws RecordException {
        for (int id : fields.stopTokenIds()) {
            if (id >= text.tokenizer().vocabSize()) {
                throw invalid("stop_token_ids must be below the vocabulary's size "
                        + text.tokenizer().vocabSize() + ", got " + id);
            }
        }
        if (fields.minTokens() > maxTokens) {
            throw new RecordException(
                    ErrorCode.CONTEXT_LENGTH_EXCEEDED,
                    "min_tokens is " + fields.minTokens() + ", the context has room for " + maxTokens);
        }
        Long seed = fields.seed();
        try {
            return SamplingParams.builder()
                    .temperature(fields.temperature())
                    .topP(fields.topP())
                    .topK(fields.topK())
                    .minP(fields.minP())
                    .presencePenalty(fields.presencePenalty())
                    .frequencyPenalty(fields.frequencyPenalty())
                    .repetitionPenalty(fields.repetitionPenalty())
                    .maxTokens(maxTokens)
                    .minTokens(fields.minTokens())
                    .ignoreEos(fields.ignoreEos())
                    .seed(seed == null ? RequestSeed.derive(randomSeed, customId) : seed)
                    .stop(fields.stop())
                    .stopTokenIds(fields.stopTokenIds())
                    .skipSpecialTokens(fields.skipSpecialTokens())
                    .build();
        } catch (IllegalArgumentException e) {
            throw invalid(String.valueOf(e.getMessage()));
        }
    }

    private static RecordException invalid(String reason) {
        return new RecordException(ErrorCode.INVALID_REQUEST, reason);
    }
}
