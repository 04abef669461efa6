package io.radixflow.schemas;

import org.jspecify.annotations.Nullable;

/**
 * What ended an answer with {@code stop}.
 *
 * @param tokenId the end or stop token, if {@code text} is null
 * @param text the stop string, or null
 */
public record StopMatch(int tokenId, @Nullable String text) {}
