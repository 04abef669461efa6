package io.radixflow.text.template;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Python's dict: ordered, and 1, 1.0 and True are one key. Owned by one rendering. */
final class Dict {

    /** A key as it was first written, and its value. */
    record Entry(Object key, Object value) {}

    private final Map<Object, Entry> entries = new LinkedHashMap<>();

    /** @throws Fault if the key is a list or a dict */
    void put(Object key, Object value, Work work) {
        work.charge(Work.NODE);
        Object hashed = hashed(key, 0, work);
        Entry old = entries.get(hashed);
        entries.put(hashed, new Entry(old == null ? key : old.key, value));
    }

    void put(String key, Object value) {
        entries.put(key, new Entry(key, value));
    }

    /** The value, or null if there is none. */
    @Nullable
    Object get(Object key, Work work) {
        Entry entry = entries.get(hashed(key, 0, work));
        return entry == null ? null : entry.value;
    }

    @Nullable
    Object get(String key) {
        Entry entry = entries.get(key);
        return entry == null ? null : entry.value;
    }

    int size() {
        return entries.size();
    }

    Collection<Entry> entries() {
        return entries.values();
    }

    List<Object> keys() {
        List<Object> keys = new ArrayList<>(entries.size());
        entries.values().forEach(entry -> keys.add(entry.key));
        return keys;
    }

    List<Object> values() {
        List<Object> values = new ArrayList<>(entries.size());
        entries.values().forEach(entry -> values.add(entry.value));
        return values;
    }

    List<Object> items() {
        List<Object> items = new ArrayList<>(entries.size());
        entries.values().forEach(entry -> items.add(Tuple.of(entry.key, entry.value)));
        return items;
    }

    static boolean isHashable(Object key) {
        return !(key instanceof List || key instanceof Dict);
    }

    /** A key whose equals() is Python's. */
    private static Object hashed(Object key, int depth, Work work) {
        if (key instanceof String text) {
            work.charge(text.length() / 16);
        }
        if (key instanceof Boolean isTrue) {
            return isTrue ? 1L : 0L;
        }
        if (key instanceof Double number && number == Math.rint(number) && Math.abs(number) < 1e18) {
            return number.longValue();
        }
        if (key instanceof Tuple tuple) {
            if (depth > 8) {
                throw new Fault("a tuple nested too deep for a key");
            }
            work.chargeItems(tuple.items().size());
            List<Object> items = new ArrayList<>(tuple.items().size());
            tuple.items().forEach(item -> items.add(hashed(item, depth + 1, work)));
            return new Tuple(items);
        }
        if (!isHashable(key)) {
            throw new Fault("a value of type '" + Types.name(key) + "' can't be a key");
        }
        return key;
    }
}
