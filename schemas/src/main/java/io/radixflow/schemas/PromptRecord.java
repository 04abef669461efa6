package io.radixflow.schemas;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request as a record carries it: an OpenAI chat-completions or completions body, parsed and checked. Immutable by
 * convention: nobody writes the collections.
 *
 * @param kind which of the two bodies
 * @param model as the request names it; one engine serves one model, so it is not compared
 * @param messages of a chat as plain values for a chat template (strings in maps); empty for a completion
 * @param prompt of a completion; null for a chat
 * @param sampling how to sample and when to stop
 * @param isStream whether chunks are wanted
 * @param hasStreamUsage whether the last chunk carries the usage
 * @param chatTemplateKwargs variables for the chat template: strings, numbers, booleans, null, lists, maps
 * @param customId null if the request names none
 * @param metadataJson an object as JSON text, copied to the answer, or null
 * @param cacheSalt namespace of the prefix cache, or null
 * @param unknownFields names of fields that were ignored
 */
public record PromptRecord(
        Kind kind,
        @Nullable String model,
        List<Map<String, Object>> messages,
        @Nullable String prompt,
        SamplingFields sampling,
        boolean isStream,
        boolean hasStreamUsage,
        Map<String, @Nullable Object> chatTemplateKwargs,
        @Nullable String customId,
        @Nullable String metadataJson,
        @Nullable String cacheSalt,
        List<String> unknownFields) {

    /** Which of OpenAI's two bodies a request is. */
    public enum Kind {
        CHAT,
        COMPLETION
    }
}
