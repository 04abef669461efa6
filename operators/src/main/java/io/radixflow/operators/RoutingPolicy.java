package io.radixflow.operators;

/** How requests are spread over engines: ours, and the usual ways to set beside it. */
public enum RoutingPolicy {
    /** {@link PrefixRouter}: as jobs do it. */
    PREFIX("radixflow"),
    /** {@link WholeInputOrder}: all requests sorted, in ranges that engines take one after the other. */
    WHOLE_INPUT("whole-input"),
    /** One after the other. */
    ROUND_ROBIN("round-robin"),
    /** By the hash of the first tokens, whatever the load: what keyBy of a prefix does. */
    KEY_HASH("key-hash"),
    /** By chance. */
    RANDOM("random");

    private final String label;

    RoutingPolicy(String label) {
        this.label = label;
    }

    /** As it stands in reports. */
    public String label() {
        return label;
    }
}
