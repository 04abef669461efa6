package io.radixflow.text.template;

import java.util.Iterator;
import java.util.List;

/**
 * A Python generator: its items come once, it is true even when empty and has no length. Templates meet it as the result of filters such as
 * map and select. Its items are computed beforehand, which shows only in the order of faults.
 */
final class OneShot {

    final String typeName;
    final Iterator<Object> rest;

    OneShot(String typeName, List<Object> items) {
        this.typeName = typeName;
        rest = items.iterator();
    }

    static OneShot generator(List<Object> items) {
        return new OneShot("generator", items);
    }
}
