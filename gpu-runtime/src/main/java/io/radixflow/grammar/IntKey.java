package io.radixflow.grammar;

import java.util.Arrays;

/** An array of integers as the key of a map; nobody writes the array. */
final class IntKey {

    final int[] values;
    private final int hash;

    IntKey(int[] values) {
        this.values = values;
        hash = Arrays.hashCode(values);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof IntKey key && hash == key.hash && Arrays.equals(values, key.values);
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
