package io.radixflow.text.template;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names visible at a place: its own, then those of the scopes around it. */
final class Scope {

    private final @Nullable Scope parent;
    private final Map<String, Object> names = new HashMap<>();

    Scope(@Nullable Scope parent) {
        this.parent = parent;
    }

    void set(String name, Object value) {
        names.put(name, value);
    }

    /** The value, or null if no scope has the name. */
    @Nullable
    Object find(String name) {
        for (Scope scope = this; scope != null; scope = scope.parent) {
            Object value = scope.names.get(name);
            if (value != null) {
                return value;
            }
        }
        return null;
    }
}
