package io.radixflow.schemas;

import org.jspecify.annotations.Nullable;

/**
 * Tokens of one request: its prompt once, its answers together.
 *
 * @param promptTokens of the prompt
 * @param cachedTokens of these, saved by the prefix cache
 * @param completionTokens generated
 * @param reasoningTokens of these, spent before the content; null without a reasoning parser
 */
public record Usage(
        int promptTokens,
        int cachedTokens,
        int completionTokens,
        @Nullable Integer reasoningTokens) {}
