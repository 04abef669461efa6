package io.radixflow.text;

import java.util.Arrays;
import java.util.stream.Collectors;

/** Where the reasoning of a model family begins, as {@code --reasoning-parser} names it; it always ends with {@code </think>}. */
public enum ReasoningFormat {
    /** Reasons only if the answer begins with {@code <think>}, or the chat template opened the tag. */
    QWEN3("qwen3", ReasoningStart.IF_TAGGED),
    /** Reasons from the first token on, with or without the tag. */
    DEEPSEEK_R1("deepseek-r1", ReasoningStart.AT_ONCE);

    private final String optionName;
    private final ReasoningStart unopened;

    ReasoningFormat(String optionName, ReasoningStart unopened) {
        this.optionName = optionName;
        this.unopened = unopened;
    }

    /** @throws IllegalArgumentException that names what there is, if the option has no such value */
    public static ReasoningFormat of(String optionName) {
        for (ReasoningFormat format : values()) {
            if (format.optionName.equals(optionName)) {
                return format;
            }
        }
        String known = Arrays.stream(values()).map(f -> f.optionName).collect(Collectors.joining(", "));
        throw new IllegalArgumentException(
                "reasoning parser '" + optionName + "' is not supported; supported: " + known);
    }

    /**
     * Where the reasoning of one answer begins.
     *
     * @param prompt as rendered; if it ends with an open {@code <think>}, the answer goes on inside of it
     * @param isThinkingEnabled false if the request's {@code chat_template_kwargs} say {@code enable_thinking: false}
     */
    public ReasoningStart startAfter(String prompt, boolean isThinkingEnabled) {
        if (!isThinkingEnabled) {
            return ReasoningStart.NEVER;
        }
        return prompt.stripTrailing().endsWith(ReasoningParser.OPENING_TAG) ? ReasoningStart.AT_ONCE : unopened;
    }
}
