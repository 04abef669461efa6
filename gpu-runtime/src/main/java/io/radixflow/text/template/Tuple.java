package io.radixflow.text.template;

import java.util.List;

/** Python's tuple. The list is not changed after. */
record Tuple(List<Object> items) {

    static Tuple of(Object... items) {
        return new Tuple(List.of(items));
    }
}
