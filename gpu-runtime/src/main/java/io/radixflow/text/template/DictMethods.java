package io.radixflow.text.template;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Methods of dicts; those that change a dict are known and refused. */
final class DictMethods {

    private static final Set<String> CHANGING = Set.of("clear", "pop", "popitem", "setdefault", "update", "fromkeys");

    private DictMethods() {}

    /** The method bound to the dict; null if Python has none of this name. */
    static @Nullable Object find(Dict dict, String name) {
        return switch (name) {
            case "items" ->
                new Function(name, (context, arguments) -> {
                    arguments.check();
                    context.work.chargeItems(2L * dict.size());
                    return new DictView("dict_items", dict.items());
                });
            case "keys" ->
                new Function(name, (context, arguments) -> {
                    arguments.check();
                    context.work.chargeItems(dict.size());
                    return new DictView("dict_keys", dict.keys());
                });
            case "values" ->
                new Function(name, (context, arguments) -> {
                    arguments.check();
                    context.work.chargeItems(dict.size());
                    return new DictView("dict_values", dict.values());
                });
            case "get" ->
                new Function(name, (context, arguments) -> {
                    arguments.check("key", "default");
                    Object value = dict.get(arguments.get(0, "key"), context.work);
                    return value == null ? arguments.get(1, "default", None.NONE) : value;
                });
            case "copy" ->
                new Function(name, (context, arguments) -> {
                    arguments.check();
                    context.work.chargeItems(dict.size());
                    Dict copy = new Dict();
                    dict.entries().forEach(entry -> copy.put(entry.key(), entry.value(), context.work));
                    return copy;
                });
            default -> CHANGING.contains(name) ? refused("dict", name) : null;
        };
    }

    /** What stands for a method that is refused; like jinja2's sandbox, it fails when it is called. */
    static Object refused(String type, String name) {
        return new Undefined("the method '" + name + "' of a " + type + " is not supported in templates");
    }
}
