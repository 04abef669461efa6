package io.radixflow.text.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns what a caller passes into the values of {@link Types}. */
final class Variables {

    private static final int MAX_DEPTH = 200;

    private Variables() {}

    /** @param name of the variable, for the message of the exception */
    static Object convert(@Nullable Object value, String name) {
        return convert(value, name, 0);
    }

    private static Object convert(@Nullable Object value, String name, int depth) {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException(
                    "chat template variable '" + name + "': nested deeper than the limit of " + MAX_DEPTH);
        }
        if (value == null) {
            return None.NONE;
        } else if (value instanceof String
                || value instanceof Boolean
                || value instanceof Long
                || value instanceof Double) {
            return value;
        } else if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
            return ((Number) value).longValue();
        } else if (value instanceof Float || value instanceof BigDecimal) {
            return ((Number) value).doubleValue();
        } else if (value instanceof BigInteger number && number.bitLength() < 64) {
            return number.longValue();
        } else if (value instanceof List<?> list) {
            List<Object> items = new ArrayList<>(list.size());
            for (Object item : list) {
                items.add(convert(item, name, depth + 1));
            }
            return items;
        } else if (value instanceof Map<?, ?> map) {
            Dict dict = new Dict();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                if (!(entry.getKey() instanceof String key)) {
                    throw new IllegalArgumentException(
                            "chat template variable '" + name + "': a map's keys must be strings");
                }
                dict.put(key, convert(entry.getValue(), name, depth + 1));
            }
            return dict;
        }
        throw new IllegalArgumentException("chat template variable '" + name + "': a value of type "
                + value.getClass().getSimpleName() + " is not supported");
    }
}
