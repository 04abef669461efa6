package io.radixflow.text.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's slices. */
final class Slices {

    private Slices() {}

    /** Null bounds are the ends. */
    static Object slice(Object value, @Nullable Long start, @Nullable Long stop, @Nullable Long step, Work work) {
        if (value instanceof Undefined missing) {
            throw missing.fault();
        } else if (!(value instanceof String
                || value instanceof List
                || value instanceof Tuple
                || value instanceof Range)) {
            throw new Fault("a value of type '" + Types.name(value) + "' has no slices");
        }
        long by = step == null ? 1 : step;
        if (by == 0) {
            throw new Fault("the step of a slice can't be 0");
        }
        int size = Types.size(value);
        long from = bound(start, size, by, by > 0 ? 0 : size - 1);
        long to = bound(stop, size, by, by > 0 ? size : -1);
        if (value instanceof String text && by == 1) {
            work.charge(text.length());
            if (from >= to) {
                return "";
            }
            int begin = text.offsetByCodePoints(0, (int) from);
            return text.substring(begin, text.offsetByCodePoints(begin, (int) (to - from)));
        }
        if (value instanceof Range range) {
            return range.slice(from, to, by);
        }
        List<Object> picked = pick(Types.items(value, work), from, to, by);
        if (value instanceof String) {
            StringBuilder text = new StringBuilder();
            picked.forEach(text::append);
            return text.toString();
        }
        return value instanceof Tuple ? new Tuple(picked) : picked;
    }

    /** An index counted from the start, clipped to where the slice can begin or end. */
    private static long bound(@Nullable Long index, int size, long step, long absent) {
        if (index == null) {
            return absent;
        }
        long counted = index < 0 ? index + size : index;
        long least = step > 0 ? 0 : -1;
        return Math.max(least, Math.min(counted, step > 0 ? size : size - 1));
    }

    private static List<Object> pick(List<Object> items, long from, long to, long step) {
        List<Object> picked = new ArrayList<>();
        long count = step > 0
                ? ceilDiv(to - from, step)
                : ceilDiv(from - to, step == Long.MIN_VALUE ? Long.MAX_VALUE : -step);
        for (long i = 0; i < count; i++) {
            picked.add(items.get((int) (from + i * step)));
        }
        return picked;
    }

    private static long ceilDiv(long distance, long step) {
        return distance <= 0 ? 0 : (distance - 1) / step + 1;
    }
}
