package io.radixflow.testkit;

/** How many random events a property test runs in all: 100,000, or what {@code -Dradixflow.property.events} says. */
public final class PropertyEvents {

    /** Tries of each property; each has its own seed and its share of the events. */
    public static final int TRIES = 20;

    private PropertyEvents() {}

    public static int perTry() {
        return Integer.getInteger("radixflow.property.events", 100_000) / TRIES;
    }
}
