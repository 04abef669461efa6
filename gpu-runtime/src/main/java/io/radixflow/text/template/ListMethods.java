package io.radixflow.text.template;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Methods of lists and tuples. Appending and popping work, unlike in jinja2's immutable sandbox, because some models' templates keep a
 * queue; a rendering only ever changes its own copies.
 */
final class ListMethods {

    private static final Set<String> CHANGING = Set.of("clear", "extend", "insert", "remove", "reverse", "sort");

    private ListMethods() {}

    /** The method bound to the items; null if Python has none of this name. */
    static @Nullable Object find(List<Object> items, String name, boolean isList) {
        return switch (name) {
            case "index" ->
                new Function(name, (context, arguments) -> {
                    Object wanted = arguments.check("value").get(0, "value");
                    for (int i = 0; i < items.size(); i++) {
                        if (PythonOrder.areEqual(items.get(i), wanted, context.work)) {
                            return (long) i;
                        }
                    }
                    throw new Fault("the value is not in the list");
                });
            case "count" ->
                new Function(name, (context, arguments) -> {
                    Object wanted = arguments.check("value").get(0, "value");
                    long count = 0;
                    for (Object item : items) {
                        count += PythonOrder.areEqual(item, wanted, context.work) ? 1 : 0;
                    }
                    return count;
                });
            default -> isList ? findOfList(items, name) : null;
        };
    }

    private static @Nullable Object findOfList(List<Object> items, String name) {
        return switch (name) {
            case "append" ->
                new Function(name, (context, arguments) -> {
                    context.work.charge(Work.ITEM);
                    items.add(arguments.check("value").get(0, "value"));
                    return None.NONE;
                });
            case "pop" ->
                new Function(name, (context, arguments) -> {
                    int index = arguments.check("index").integer(0, "index", -1);
                    int at = index < 0 ? index + items.size() : index;
                    if (at < 0 || at >= items.size()) {
                        throw new Fault(items.isEmpty() ? "the list is empty" : "the index is outside of the list");
                    }
                    context.work.charge(items.size() - at);
                    return items.remove(at);
                });
            case "copy" ->
                new Function(name, (context, arguments) -> {
                    arguments.check();
                    context.work.chargeItems(items.size());
                    return new java.util.ArrayList<>(items);
                });
            default -> CHANGING.contains(name) ? DictMethods.refused("list", name) : null;
        };
    }
}
