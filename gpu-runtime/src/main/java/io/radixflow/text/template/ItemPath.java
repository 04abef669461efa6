package io.radixflow.text.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code attribute} argument of a filter: names or indices separated by dots.
 *
 * @param absent what a missing one yields; null for undefined
 */
record ItemPath(List<Object> parts, @Nullable Object absent) {

    private static final int MAX_CHARS = 1000;

    /** Of a string or an integer; of none, the item itself. */
    static ItemPath of(Object attribute) {
        return of(attribute, null);
    }

    static String checked(String attribute) {
        if (attribute.length() > MAX_CHARS) {
            throw new Fault("'attribute' is longer than the limit of " + MAX_CHARS + " characters");
        }
        return attribute;
    }

    static ItemPath of(Object attribute, @Nullable Object absent) {
        if (attribute == None.NONE) {
            return new ItemPath(List.of(), absent);
        } else if (attribute instanceof Long) {
            return new ItemPath(List.of(attribute), absent);
        }
        List<Object> parts = new ArrayList<>();
        for (String part : checked(Types.text(attribute, "attribute")).split("\\.", -1)) {
            boolean isIndex =
                    !part.isEmpty() && part.length() < 10 && part.chars().allMatch(c -> c >= '0' && c <= '9');
            parts.add(isIndex ? (Object) Long.valueOf(part) : part);
        }
        return new ItemPath(parts, absent);
    }

    Object get(Object item, Work work) {
        Object value = item;
        for (Object part : parts) {
            work.charge(Work.ITEM);
            value = Members.item(value, part, work);
            if (value instanceof Undefined && absent != null) {
                value = absent;
            }
        }
        return value;
    }
}
