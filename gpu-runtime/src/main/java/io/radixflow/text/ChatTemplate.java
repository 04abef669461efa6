package io.radixflow.text;

import java.util.Map;

/** A model's chat template: the Jinja subset that such templates use, parsed once, rendered for each request. Thread-safe. */
public final class ChatTemplate {

    private ChatTemplate() {}

    /** @throws IllegalArgumentException naming line and construct, if the template does not parse */
    public static ChatTemplate parse(String source) {
        throw new UnsupportedOperationException(source);
    }

    /**
     * Renders with {@code trim_blocks} and {@code lstrip_blocks}. Values are strings, numbers, booleans, null, lists and maps; strings are
     * data, never template code.
     *
     * @throws IllegalArgumentException if the template raises (raise_exception) or uses a value wrongly
     */
    public String render(Map<String, ?> variables) {
        throw new UnsupportedOperationException(String.valueOf(variables.size()));
    }
}
