package io.radixflow.grammar;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/** That a value is, or is not, valid against a schema. */
record Claim(SchemaNode schema, boolean isHeld) implements Comparable<Claim> {

    Claim opposite() {
        return new Claim(schema, !isHeld);
    }

    @Override
    public int compareTo(Claim other) {
        int order = Integer.compare(schema.id(), other.schema.id());
        return order != 0 ? order : Boolean.compare(isHeld, other.isHeld);
    }

    /** Sorted, each once: equal lists are equal demands. */
    static List<Claim> all(Collection<Claim> claims) {
        return List.copyOf(new TreeSet<>(claims));
    }

    static List<Claim> both(List<Claim> left, List<Claim> right) {
        List<Claim> joined = new ArrayList<>(left);
        joined.addAll(right);
        return all(joined);
    }
}
