package io.radixflow.operators;

import java.util.Objects;

/**
 * A request on the edge to the engines. Never in state: what is kept of a request is its {@link PreparedRequest}.
 *
 * @param request with its routing key
 * @param routerId of the router that chose the engine; a router has another one after each restart
 * @param newTokens of the prompt that the engine must probably compute, because no request before has had them; at least 1
 */
record RoutedRequest(PreparedRequest request, long routerId, int newTokens) {

    /** Answers differ in length and {@code max_tokens} is often a mere ceiling, so no answer is expected to be longer. */
    private static final int MAX_EXPECTED_OUTPUT = 256;

    RoutedRequest {
        Objects.requireNonNull(request, "request");
        if (newTokens < 1) {
            throw new IllegalArgumentException("newTokens must be at least 1, got " + newTokens);
        }
    }

    int routingKey() {
        return request.routingKey();
    }

    /** Tokens that the engine will probably compute for it. */
    long work() {
        return newTokens + (long) request.shape().numChoices() * expectedOutputLen(request);
    }

    /** Tokens that one answer to the request probably has. */
    static int expectedOutputLen(PreparedRequest request) {
        return Math.min(MAX_EXPECTED_OUTPUT, request.sampling().maxTokens());
    }
}
