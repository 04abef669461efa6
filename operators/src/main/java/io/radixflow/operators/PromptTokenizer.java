package io.radixflow.operators;

import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.JsonStyle;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.TokenRules;
import io.radixflow.schemas.AnswerHead;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.schemas.GrammarField;
import io.radixflow.schemas.OutputFields;
import io.radixflow.schemas.Prompt;
import io.radixflow.schemas.PromptInput;
import io.radixflow.schemas.RecordException;
import io.radixflow.schemas.SamplingFields;
import io.radixflow.schemas.StopFields;
import io.radixflow.text.ChatTemplate;
import io.radixflow.text.ReasoningFormat;
import io.radixflow.text.ReasoningStart;
import io.radixflow.text.SegmentCache;
import io.radixflow.text.TextModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns a parsed prompt into token ids and engine parameters: renders the chat template, encodes, checks what fits. */
final class PromptTokenizer {

    private static final String THINKING = "enable_thinking";
    private static final long SEGMENT_BYTES = 4 << 20;

    private final TextModel text;
    private final SegmentCache segments;
    private final @Nullable ReasoningFormat reasoning;
    private final long randomSeed;
    private final JsonStyle json;

    PromptTokenizer(TextModel text, PipelineOptions options) {
        this.text = text;
        segments = new SegmentCache(text.tokenizer(), SEGMENT_BYTES);
        reasoning = options.reasoning();
        json = options.json();
        randomSeed = options.randomSeed();
    }

    /**
     * Takes {@code nowMillis} as the creation time of a record without a timestamp.
     *
     * @throws RecordException {@code context_length_exceeded}, or {@code invalid_request} if the template refuses the messages
     */
    PreparedRequest tokenize(SourceRecord source, Prompt prompt, long nowMillis) throws RecordException {
        PromptInput input = prompt.input();
        String rendered = prompt.kind() == Prompt.Kind.CHAT ? render(input) : input.text();
        int[] promptIds = truncate(promptIds(input, rendered), input.keptLen());
        OutputFields output = prompt.output();
        checkPromptLogprobs(output.promptLogprobs(), promptIds.length);
        String customId = prompt.customId() == null ? source.identity() : prompt.customId();
        long createdMillis = source.timestamp() < 0 ? nowMillis : source.timestamp();
        AnswerHead head = new AnswerHead(
                prompt.kind(), prompt.envelope(), customId, text.name(), createdMillis / 1000, prompt.metadataJson());
        AnswerShape shape = new AnswerShape(
                output.numChoices(),
                output.promptLogprobs(),
                reasoningStart(prompt, rendered),
                output.isStream(),
                output.hasStreamUsage());
        int maxTokens = maxTokens(promptIds.length, prompt.stops().maxTokens());
        return new PreparedRequest(
                source,
                head,
                shape,
                promptIds,
                sampling(prompt, maxTokens, customId).toBuilder()
                        .grammar(grammar(prompt.output().grammar(), shape.reasoning()))
                        .build(),
                prompt.stops().maxTokens() == null,
                prompt.cacheSalt(),
                prompt.priority(),
                0);
    }

    private String render(PromptInput input) throws RecordException {
        ChatTemplate template = text.chatTemplate();
        if (template == null) {
            throw invalid("messages need a chat template and the model has none; send prompt, or set --chat-template");
        }
        Map<String, @Nullable Object> variables = new HashMap<>(input.templateVariables());
        variables.put("messages", input.messages());
        variables.put("tools", input.tools());
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

    private int[] promptIds(PromptInput input, @Nullable String rendered) throws RecordException {
        int[] given = input.ids();
        int[] ids = given == null ? segments.encode(String.valueOf(rendered)) : given;
        if (ids.length == 0) {
            throw invalid("the prompt has no tokens");
        }
        if (given != null) {
            checkVocabulary("prompt", given);
        }
        return ids;
    }

    private static int[] truncate(int[] ids, @Nullable Integer keptLen) {
        return keptLen == null || keptLen >= ids.length
                ? ids
                : Arrays.copyOfRange(ids, ids.length - keptLen, ids.length);
    }

    private static void checkPromptLogprobs(int wanted, int promptLen) throws RecordException {
        if (wanted != OutputFields.NO_LOGPROBS && (1L + wanted) * promptLen > GenerationRequest.MAX_PROMPT_LOGPROBS) {
            throw invalid("prompt_logprobs " + wanted + " for a prompt of " + promptLen + " tokens gives "
                    + (1L + wanted) * promptLen + " numbers, at most " + GenerationRequest.MAX_PROMPT_LOGPROBS
                    + " are kept; ask for fewer or shorten the prompt");
        }
    }

    /** A completion's text is as raw as its prompt: nothing is told apart. */
    private ReasoningStart reasoningStart(Prompt prompt, @Nullable String rendered) {
        if (reasoning == null
                || rendered == null
                || prompt.kind() == Prompt.Kind.COMPLETION
                || !prompt.output().isReasoningSeparate()) {
            return ReasoningStart.NEVER;
        }
        boolean isThinking =
                !Boolean.FALSE.equals(prompt.input().templateVariables().get(THINKING));
        return reasoning.startAfter(rendered, isThinking);
    }

    private @Nullable GrammarSpec grammar(@Nullable GrammarField field, ReasoningStart start) {
        if (field == null) {
            return null;
        }
        GrammarSpec.Reasoning lead = switch (start) {
            case NEVER -> GrammarSpec.Reasoning.NEVER;
            case IF_TAGGED -> GrammarSpec.Reasoning.IF_TAGGED;
            case AT_ONCE -> GrammarSpec.Reasoning.ALWAYS;
        };
        return new GrammarSpec(
                GrammarSpec.Kind.valueOf(field.language().name()), field.text(), field.isStrict(), json, lead);
    }

    private int maxTokens(int promptLen, @Nullable Integer wanted) throws RecordException {
        int room = text.contextLen() - promptLen;
        if (room < 1) {
            throw new RecordException(
                    ErrorCode.CONTEXT_LENGTH_EXCEEDED,
                    "the prompt has " + promptLen + " tokens, the context " + text.contextLen()
                            + " with at least 1 for the answer; shorten the prompt or send truncate_prompt_tokens");
        }
        if (wanted != null && wanted > room) {
            throw new RecordException(
                    ErrorCode.CONTEXT_LENGTH_EXCEEDED,
                    "the prompt has " + promptLen + " tokens and max_tokens is " + wanted + ", the context has "
                            + text.contextLen() + "; ask for at most " + room + " tokens");
        }
        return wanted == null ? room : wanted;
    }

    private SamplingParams sampling(Prompt prompt, int maxTokens, String customId) throws RecordException {
        SamplingFields fields = prompt.sampling();
        StopFields stops = prompt.stops();
        checkVocabulary("stop_token_ids", stops.stopTokenIds());
        if (stops.minTokens() > maxTokens) {
            throw new RecordException(
                    ErrorCode.CONTEXT_LENGTH_EXCEEDED,
                    "min_tokens is " + stops.minTokens() + ", the context has room for " + maxTokens);
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
                    .minTokens(stops.minTokens())
                    .ignoreEos(stops.ignoreEos())
                    .seed(seed == null ? RequestSeed.derive(randomSeed, customId) : seed)
                    .stop(stops.stop())
                    .stopTokenIds(stops.stopTokenIds())
                    .skipSpecialTokens(stops.skipSpecialTokens())
                    .noStopTrim(stops.isStopKept())
                    .logprobs(prompt.output().topLogprobs())
                    .rules(rules(fields))
                    .build();
        } catch (IllegalArgumentException e) {
            throw invalid(String.valueOf(e.getMessage()));
        }
    }

    private TokenRules rules(SamplingFields fields) throws RecordException {
        int[] allowed = fields.allowedTokenIds();
        if (allowed != null) {
            checkVocabulary("allowed_token_ids", allowed);
        }
        int[] biasIds = new int[fields.logitBias().size()];
        float[] biasValues = new float[biasIds.length];
        int i = 0;
        for (Map.Entry<Integer, Float> bias : fields.logitBias().entrySet()) {
            biasIds[i] = bias.getKey();
            biasValues[i++] = bias.getValue();
        }
        checkVocabulary("logit_bias", biasIds);
        return new TokenRules(biasIds, biasValues, badWords(fields.badWords()), allowed == null ? new int[0] : allowed);
    }

    /** Each word as it is written at a text's start and after a space, which are other tokens. */
    private List<int[]> badWords(List<String> words) {
        List<int[]> sequences = new ArrayList<>(2 * words.size());
        for (String word : words) {
            String bare = word.stripLeading();
            int[] first = text.tokenizer().encode(bare.isEmpty() ? word : bare);
            int[] later = text.tokenizer().encode(" " + bare);
            sequences.add(first);
            if (!Arrays.equals(first, later)) {
                sequences.add(later);
            }
        }
        return sequences;
    }

    private void checkVocabulary(String field, int[] ids) throws RecordException {
        for (int id : ids) {
            if (id >= text.tokenizer().vocabSize()) {
                throw invalid(field + " must be below the vocabulary's size "
                        + text.tokenizer().vocabSize() + ", got " + id);
            }
        }
    }

    private static RecordException invalid(String reason) {
        return new RecordException(ErrorCode.INVALID_REQUEST, reason);
    }
}
