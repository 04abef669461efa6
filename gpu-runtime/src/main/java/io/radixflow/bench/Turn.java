package io.radixflow.bench;

/**
 * One request of a conversation.
 *
 * @param tokens what follows all that was said before; of a first turn, the whole prompt; nobody writes it
 * @param outputLen tokens to generate, whatever they are
 */
public record Turn(int[] tokens, int outputLen) {}
