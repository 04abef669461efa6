package io.radixflow.schemas;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the model reads: the messages of a chat, or a completion's text or token ids. Immutable by convention: nobody writes the
 * collections and the array. Values for a chat template are plain: strings, numbers, booleans, null, lists, maps.
 *
 * @param messages of a chat; empty for a completion
 * @param tools for the chat template, or null
 * @param templateVariables further variables for the chat template
 * @param text of a completion, or null
 * @param ids of a completion, or null
 * @param keptLen the prompt's last so many tokens are used, or null for all
 */
public record PromptInput(
        List<Map<String, @Nullable Object>> messages,
        @Nullable List<@Nullable Object> tools,
        Map<String, @Nullable Object> templateVariables,
        @Nullable String text,
        int @Nullable [] ids,
        @Nullable Integer keptLen) {

    // Written out: javac keeps the null annotation of an array component on an explicit constructor only.
    public PromptInput(
            List<Map<String, @Nullable Object>> messages,
            @Nullable List<@Nullable Object> tools,
            Map<String, @Nullable Object> templateVariables,
            @Nullable String text,
            int @Nullable [] ids,
            @Nullable Integer keptLen) {
        this.messages = messages;
        this.tools = tools;
        this.templateVariables = templateVariables;
        this.text = text;
        this.ids = ids;
        this.keptLen = keptLen;
    }
}
