package io.radixflow.text.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The evaluated arguments of a call, in order and by name. */
record Arguments(List<Object> positional, Map<String, Object> named) {

    static final Arguments NONE = new Arguments(List.of(), Map.of());

    static Arguments of(Object... positional) {
        return new Arguments(List.of(positional), Map.of());
    }

    /** Faults unless every argument has a place among the parameters, and only one. */
    Arguments check(String... parameters) {
        if (positional.size() > parameters.length) {
            throw new Fault("takes at most " + parameters.length + " arguments, got " + positional.size());
        }
        List<String> names = List.of(parameters);
        for (String name : named.keySet()) {
            int index = names.indexOf(name);
            if (index < 0) {
                throw new Fault("has no argument named '" + name + "'");
            }
            if (index < positional.size()) {
                throw new Fault("got two values for '" + name + "'");
            }
        }
        return this;
    }

    @Nullable
    Object find(int index, String name) {
        return index < positional.size() ? positional.get(index) : named.get(name);
    }

    Object get(int index, String name) {
        Object value = find(index, name);
        if (value == null) {
            throw new Fault("needs the argument '" + name + "'");
        }
        return value;
    }

    Object get(int index, String name, Object absent) {
        Object value = find(index, name);
        return value == null ? absent : value;
    }

    boolean isTrue(int index, String name, boolean absent) {
        return Types.isTrue(get(index, name, absent));
    }

    String text(int index, String name) {
        return Types.text(get(index, name), name);
    }

    /** An integer within an int. */
    int integer(int index, String name, int absent) {
        Object value = get(index, name, (long) absent);
        return (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, Types.integer(value, name)));
    }

    int integer(int index, String name) {
        return integer(index, name, get(index, name) instanceof Long number ? number.intValue() : 0);
    }

    /** These without the first {@code count} positional ones. */
    Arguments from(int count) {
        return new Arguments(positional.subList(Math.min(count, positional.size()), positional.size()), named);
    }

    /** These with one more by name. */
    Arguments with(String name, Object value) {
        Map<String, Object> more = new LinkedHashMap<>(named);
        more.put(name, value);
        return new Arguments(new ArrayList<>(positional), more);
    }
}
