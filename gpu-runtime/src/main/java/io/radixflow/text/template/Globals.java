package io.radixflow.text.template;

import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template has; a variable of the same name hides them. */
final class Globals {

    private static final Map<String, Object> BY_NAME = byName();

    private Globals() {}

    static @Nullable Object find(String name) {
        return BY_NAME.get(name);
    }

    private static Map<String, Object> byName() {
        Map<String, Object> globals = new HashMap<>();
        List.of(
                        new Function("range", Globals::range),
                        new Function("dict", (context, arguments) -> dict(context, arguments)),
                        new Function("namespace", Globals::namespace),
                        new Function("raise_exception", Globals::raise),
                        new Function("strftime_now", Globals::formatNow))
                .forEach(function -> globals.put(function.name(), function));
        return Map.copyOf(globals);
    }

    private static Object range(Context context, Arguments arguments) {
        arguments.check("start", "stop", "step");
        long first = Types.integer(arguments.get(0, "start"), "start");
        if (arguments.positional().size() < 2) {
            return new Range(0, first, 1);
        }
        long step = Types.integer(arguments.get(2, "step", 1L), "step");
        return new Range(first, Types.integer(arguments.get(1, "stop"), "stop"), step);
    }

    private static Dict dict(Context context, Arguments arguments) {
        Dict dict = new Dict();
        if (arguments.positional().size() > 1) {
            throw new Fault("takes at most one argument in order");
        }
        for (Object source : arguments.positional()) {
            if (source instanceof Dict other) {
                context.work.chargeItems(other.size());
                other.entries().forEach(entry -> dict.put(entry.key(), entry.value(), context.work));
                continue;
            }
            for (Object pair : Types.items(source, context.work)) {
                List<Object> items = Types.items(pair, context.work);
                if (items.size() != 2) {
                    throw new Fault("needs pairs of key and value");
                }
                dict.put(items.get(0), items.get(1), context.work);
            }
        }
        arguments.named().forEach(dict::put);
        return dict;
    }

    private static Object namespace(Context context, Arguments arguments) {
        Namespace namespace = new Namespace(new Dict());
        for (Dict.Entry entry : dict(context, arguments).entries()) {
            namespace.set(Types.text(entry.key(), "attribute name"), entry.value());
        }
        return namespace;
    }

    private static Object raise(Context context, Arguments arguments) {
        throw new Fault(context.text(arguments.check("message").get(0, "message")));
    }

    private static Object formatNow(Context context, Arguments arguments) {
        String format = arguments.check("format").text(0, "format");
        context.work.charge((long) Work.ITEM * format.length());
        try {
            return Strftime.format(LocalDateTime.now(context.clock), format);
        } catch (DateTimeException e) {
            throw new Fault("the time can't be formatted so");
        }
    }
}
