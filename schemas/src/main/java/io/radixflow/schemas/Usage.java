package io.radixflow.schemas;

/**
 * Tokens of one answer.
 *
 * @param promptTokens of the prompt
 * @param cachedTokens of these, saved by the prefix cache
 * @param completionTokens generated
 */
public record Usage(int promptTokens, int cachedTokens, int completionTokens) {}
