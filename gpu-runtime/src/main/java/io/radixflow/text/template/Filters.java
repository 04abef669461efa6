package io.radixflow.text.template;

import java.util.HashMap;
import java.util.Map;

/** Filters by name. */
final class Filters {

    /** What follows a bar in a template. */
    interface Filter {
        Object apply(Context context, Object value, Arguments arguments);
    }

    private static final Map<String, Filter> BY_NAME = byName();

    private Filters() {}

    private static Map<String, Filter> byName() {
        Map<String, Filter> filters = new HashMap<>();
        TextFilters.addTo(filters);
        NumberFilters.addTo(filters);
        ListFilters.addTo(filters);
        ChoiceFilters.addTo(filters);
        filters.put("default", Filters::withDefault);
        filters.put("d", Filters::withDefault);
        filters.put("attr", Filters::attribute);
        filters.put("tojson", Filters::toJson);
        return Map.copyOf(filters);
    }

    static boolean has(String name) {
        return BY_NAME.containsKey(name);
    }

    static Filter find(String name) {
        Filter filter = BY_NAME.get(name);
        if (filter == null) {
            throw new Fault("unknown filter '" + name + "'");
        }
        return filter;
    }

    private static Object withDefault(Context context, Object value, Arguments arguments) {
        arguments.check("default_value", "boolean");
        boolean isMissing =
                value instanceof Undefined || (arguments.isTrue(1, "boolean", false) && !Types.isTrue(value));
        return isMissing ? arguments.get(0, "default_value", "") : value;
    }

    private static Object attribute(Context context, Object value, Arguments arguments) {
        String name = arguments.check("name").text(0, "name");
        return value instanceof Dict ? Undefined.attribute(value, name) : Members.attribute(value, name);
    }

    private static Object toJson(Context context, Object value, Arguments arguments) {
        arguments.check("ensure_ascii", "indent", "separators", "sort_keys");
        Object indent = arguments.get(1, "indent", None.NONE);
        Object separators = arguments.get(2, "separators", None.NONE);
        String itemSeparator = indent == None.NONE ? ", " : ",";
        String keySeparator = ": ";
        if (separators != None.NONE) {
            var pair = Types.items(separators, context.work);
            if (pair.size() != 2) {
                throw new Fault("'separators' must be two strings");
            }
            itemSeparator = Types.text(pair.get(0), "separators");
            keySeparator = Types.text(pair.get(1), "separators");
        }
        boolean ensureAscii = arguments.isTrue(0, "ensure_ascii", false);
        boolean sortKeys = arguments.isTrue(3, "sort_keys", false);
        String levelIndent = indent == None.NONE ? null : indentation(indent, context.work);
        Json.Style style = new Json.Style(ensureAscii, levelIndent, itemSeparator, keySeparator, sortKeys);
        return Json.write(value, style, context.work);
    }

    /** A string, or that many blanks. */
    static String indentation(Object width, Work work) {
        if (width instanceof String text) {
            return text;
        }
        long blanks = Math.max(0, Types.integer(width, "indent"));
        work.chargeText(blanks);
        return " ".repeat((int) blanks);
    }
}
