package io.radixflow.schemas;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A chat-completions or completions body, read as a tree, to {@link Prompt}. Thread-safe. */
final class BodyParser {

    static final int MAX_ID_CHARS = 512;
    static final int MAX_LOGPROBS = 20;
    static final int MAX_CHOICES = 128;
    private static final int MAX_NAME_CHARS = 1024;

    /** Variables that the template gets from us; a request must not replace them. */
    private static final Set<String> RESERVED_VARIABLES =
            Set.of("messages", "tools", "documents", "bos_token", "eos_token", "add_generation_prompt");

    private final MessageParser messageParser;

    BodyParser(JsonReader json) {
        messageParser = new MessageParser(json);
    }

    Prompt parse(RequestFields fields) throws RecordException {
        UnsupportedFields.refuse(fields);
        boolean isChat = fields.find("messages") != null;
        if (isChat == (fields.find("prompt") != null)) {
            throw RequestFields.invalid("the request must have either messages (a chat) or prompt (a completion)");
        }
        fields.string("model", MAX_NAME_CHARS); // one engine serves one model, so it is not compared
        fields.string("user", MAX_NAME_CHARS); // accepted for OpenAI's clients; nothing depends on it
        PromptInput input = input(fields);
        SamplingFields sampling = SamplingParser.sampling(fields);
        StopFields stops = SamplingParser.stops(fields);
        OutputFields output = output(fields, isChat);
        ObjectNode metadata = fields.object("metadata");
        Integer priority = fields.integer("priority", Integer.MIN_VALUE, Integer.MAX_VALUE);
        return new Prompt(
                isChat ? Prompt.Kind.CHAT : Prompt.Kind.COMPLETION,
                Prompt.Envelope.BODY,
                fields.string("custom_id", MAX_ID_CHARS),
                metadata == null ? null : metadata.toString(),
                input,
                sampling,
                stops,
                output,
                fields.string("cache_salt", MAX_ID_CHARS),
                priority == null ? 0 : priority,
                fields.unknown());
    }

    private PromptInput input(RequestFields fields) throws RecordException {
        JsonNode messages = fields.find("messages");
        JsonNode prompt = fields.find("prompt");
        return new PromptInput(
                messages == null ? List.of() : messageParser.messages(messages),
                MessageParser.tools(fields),
                templateVariables(fields),
                prompt == null ? null : promptText(prompt),
                prompt == null ? null : promptIds(prompt),
                fields.integer("truncate_prompt_tokens", 1, Integer.MAX_VALUE));
    }

    /** Null if the prompt is given as token ids. */
    private static @Nullable String promptText(JsonNode prompt) throws RecordException {
        JsonNode text = prompt.isArray() ? single((ArrayNode) prompt) : prompt;
        if (text.isArray()) {
            return null;
        }
        if (!text.isTextual() || text.textValue().isEmpty()) {
            throw RequestFields.wrong("prompt", "a non-empty string or a list of token ids", text);
        }
        return text.textValue();
    }

    private static int @Nullable [] promptIds(JsonNode prompt) throws RecordException {
        if (!(prompt instanceof ArrayNode list)) {
            return null;
        }
        JsonNode ids = single(list);
        if (!(ids instanceof ArrayNode found)) {
            return null;
        }
        if (found.isEmpty()) {
            throw RequestFields.invalid("prompt must have at least one token id, got an empty list");
        }
        return RequestFields.tokenIds("prompt", found);
    }

    /** The one prompt of a list of prompts, or the list itself if it is a list of token ids. */
    private static JsonNode single(ArrayNode prompt) throws RecordException {
        if (prompt.isEmpty() || prompt.get(0).isNumber()) {
            return prompt;
        }
        if (prompt.size() > 1) {
            throw UnsupportedFields.unsupported("prompt as a list of several prompts (send one record each)");
        }
        return prompt.get(0);
    }

    private static OutputFields output(RequestFields fields, boolean isChat) throws RecordException {
        Integer numChoices = fields.integer("n", 1, MAX_CHOICES);
        Integer promptLogprobs = fields.integer("prompt_logprobs", 0, MAX_LOGPROBS);
        boolean isStream = fields.bool("stream", false);
        return new OutputFields(
                numChoices == null ? 1 : numChoices,
                isChat ? chatLogprobs(fields) : completionLogprobs(fields),
                promptLogprobs == null ? OutputFields.NO_LOGPROBS : promptLogprobs,
                fields.bool("separate_reasoning", true),
                isStream,
                streamUsage(fields),
                GrammarParser.grammar(fields));
    }

    private static int chatLogprobs(RequestFields fields) throws RecordException {
        boolean isWanted = fields.bool("logprobs", false);
        Integer top = fields.integer("top_logprobs", 0, MAX_LOGPROBS);
        if (!isWanted && top != null && top > 0) {
            throw RequestFields.invalid("top_logprobs needs logprobs to be true");
        }
        return isWanted ? (top == null ? 0 : top) : OutputFields.NO_LOGPROBS;
    }

    private static int completionLogprobs(RequestFields fields) throws RecordException {
        Integer logprobs = fields.integer("logprobs", 0, MAX_LOGPROBS);
        if (fields.find("top_logprobs") != null) {
            throw RequestFields.invalid("top_logprobs belongs to a chat; a completion's logprobs is a number");
        }
        return logprobs == null ? OutputFields.NO_LOGPROBS : logprobs;
    }

    private static boolean streamUsage(RequestFields fields) throws RecordException {
        ObjectNode options = fields.object("stream_options");
        return options == null || new RequestFields(options).bool("include_usage", true);
    }

    private static Map<String, @Nullable Object> templateVariables(RequestFields fields) throws RecordException {
        ObjectNode given = fields.object("chat_template_kwargs");
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        if (given == null) {
            return variables;
        }
        for (var field : given.properties()) {
            String name = "chat_template_kwargs." + field.getKey();
            if (RESERVED_VARIABLES.contains(field.getKey())) {
                throw RequestFields.invalid(name + " is set by the request itself and can't be replaced");
            }
            variables.put(field.getKey(), MessageParser.plain(name, field.getValue()));
        }
        return variables;
    }
}
