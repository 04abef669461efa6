package io.radixflow.backend;

/**
 * Two products with the residual and a norm between them, as they follow each other in a decoder: the first is added to the residual, whose norm
 * the second takes.
 *
 * @param first {@code [hidden, ...]}
 * @param norm {@code [1, hidden]}
 * @param second {@code [..., hidden]}
 */
public record NormedPair(Weight first, Tensor norm, float eps, Weight second) {}
