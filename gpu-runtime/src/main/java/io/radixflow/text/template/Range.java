package io.radixflow.text.template;

import java.util.ArrayList;
import java.util.List;

/** Python's range; {@code step} is not 0 and the size at most {@link Limits#RANGE_ITEMS}. */
record Range(long start, long stop, long step) {

    Range {
        if (step == 0) {
            throw new Fault("range() needs a step other than 0");
        }
        if (size(start, stop, step) > Limits.RANGE_ITEMS) {
            throw new Fault("range() longer than the limit of " + Limits.RANGE_ITEMS);
        }
    }

    private static long size(long start, long stop, long step) {
        if (step > 0 ? start >= stop : start <= stop) {
            return 0;
        }
        long distance = PythonNumbers.exact(() -> Math.subtractExact(stop, start));
        return (distance - (step > 0 ? 1 : -1)) / step + 1;
    }

    int size() {
        return (int) size(start, stop, step);
    }

    long get(int index) {
        return start + index * step;
    }

    /** The indices {@code [from, to)} in steps, within the size. */
    Range slice(long from, long to, long by) {
        return new Range(
                PythonNumbers.exact(() -> Math.addExact(start, Math.multiplyExact(from, step))),
                PythonNumbers.exact(() -> Math.addExact(start, Math.multiplyExact(to, step))),
                PythonNumbers.exact(() -> Math.multiplyExact(step, by)));
    }

    boolean hasItemsOf(Range other) {
        int size = size();
        return size == other.size() && (size == 0 || start == other.start) && (size < 2 || step == other.step);
    }

    List<Object> items() {
        int size = size();
        List<Object> items = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            items.add(get(i));
        }
        return items;
    }
}
