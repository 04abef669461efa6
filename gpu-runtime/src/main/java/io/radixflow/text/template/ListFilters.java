package io.radixflow.text.template;

import io.radixflow.text.template.Filters.Filter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Filters that order a sequence or pick from it. */
final class ListFilters {

    private ListFilters() {}

    static void addTo(Map<String, Filter> filters) {
        filters.put("list", (context, value, arguments) -> {
            arguments.check();
            return new ArrayList<>(Types.items(value, context.work));
        });
        filters.put("first", ListFilters::first);
        filters.put("last", ListFilters::last);
        filters.put("reverse", ListFilters::reverse);
        filters.put("items", ListFilters::items);
        filters.put("dictsort", ListFilters::sortDict);
        filters.put("sort", ListFilters::sort);
        filters.put("unique", ListFilters::unique);
        filters.put("min", (context, value, arguments) -> extreme(context, value, arguments, -1));
        filters.put("max", (context, value, arguments) -> extreme(context, value, arguments, 1));
        filters.put("batch", ListFilters::batch);
    }

    private static Object first(Context context, Object value, Arguments arguments) {
        arguments.check();
        if (value instanceof OneShot generator && generator.rest.hasNext()) {
            return generator.rest.next();
        }
        List<Object> items = Types.items(value, context.work);
        return items.isEmpty() ? new Undefined("No first item, sequence was empty.") : items.get(0);
    }

    private static Object last(Context context, Object value, Arguments arguments) {
        arguments.check();
        if (value instanceof OneShot generator) {
            throw new Fault("a value of type '" + generator.typeName + "' has no last item; make it a list first");
        }
        List<Object> items = Types.items(value, context.work);
        return items.isEmpty() ? new Undefined("No last item, sequence was empty.") : items.get(items.size() - 1);
    }

    private static Object reverse(Context context, Object value, Arguments arguments) {
        arguments.check();
        if (value instanceof String text) {
            context.work.charge(text.length());
            return new StringBuilder(text).reverse().toString();
        }
        List<Object> items = new ArrayList<>(Types.items(value, context.work));
        Collections.reverse(items);
        return new OneShot("reverse iterator", items);
    }

    private static Object items(Context context, Object value, Arguments arguments) {
        arguments.check();
        if (value instanceof Undefined) {
            return OneShot.generator(List.of());
        } else if (value instanceof Dict dict) {
            context.work.chargeItems(dict.size());
            return OneShot.generator(dict.items());
        }
        throw new Fault("needs a dict, not '" + Types.name(value) + "'");
    }

    private static Object sortDict(Context context, Object value, Arguments arguments) {
        arguments.check("case_sensitive", "by", "reverse");
        boolean isCaseSensitive = arguments.isTrue(0, "case_sensitive", false);
        String by = Types.text(arguments.get(1, "by", "key"), "by");
        if (!(value instanceof Dict dict)) {
            throw value instanceof Undefined missing
                    ? missing.fault()
                    : new Fault("needs a dict, not '" + Types.name(value) + "'");
        } else if (!by.equals("key") && !by.equals("value")) {
            throw new Fault("'by' must be key or value");
        }
        ItemPath path = new ItemPath(List.of(by.equals("key") ? 0L : 1L), null);
        Order order = new Order(List.of(path), isCaseSensitive, context.work);
        return order.sorted(dict.items(), arguments.isTrue(2, "reverse", false));
    }

    private static Object sort(Context context, Object value, Arguments arguments) {
        arguments.check("reverse", "case_sensitive", "attribute");
        Object attribute = arguments.get(2, "attribute", None.NONE);
        List<ItemPath> paths = new ArrayList<>();
        if (attribute instanceof String names) {
            for (String name : ItemPath.checked(names).split(",", -1)) {
                paths.add(ItemPath.of(name));
            }
        } else {
            paths.add(ItemPath.of(attribute));
        }
        Order order = new Order(paths, arguments.isTrue(1, "case_sensitive", false), context.work);
        return order.sorted(Types.items(value, context.work), arguments.isTrue(0, "reverse", false));
    }

    private static Object unique(Context context, Object value, Arguments arguments) {
        arguments.check("case_sensitive", "attribute");
        ItemPath path = ItemPath.of(arguments.get(1, "attribute", None.NONE));
        Order order = new Order(List.of(path), arguments.isTrue(0, "case_sensitive", false), context.work);
        Dict seen = new Dict();
        List<Object> unique = new ArrayList<>();
        for (Object item : Types.items(value, context.work)) {
            Object key = order.key(item, path);
            if (seen.get(key, context.work) == null) {
                seen.put(key, item, context.work);
                unique.add(item);
            }
        }
        return OneShot.generator(unique);
    }

    private static Object extreme(Context context, Object value, Arguments arguments, int sign) {
        arguments.check("case_sensitive", "attribute");
        ItemPath path = ItemPath.of(arguments.get(1, "attribute", None.NONE));
        Order order = new Order(List.of(path), arguments.isTrue(0, "case_sensitive", false), context.work);
        List<Object> items = Types.items(value, context.work);
        if (items.isEmpty()) {
            return new Undefined("No aggregated item, sequence was empty.");
        }
        Object best = items.get(0);
        for (Object item : items.subList(1, items.size())) {
            best = order.compare(item, best) * sign > 0 ? item : best;
        }
        return best;
    }

    private static Object batch(Context context, Object value, Arguments arguments) {
        arguments.check("linecount", "fill_with");
        int size = arguments.integer(0, "linecount");
        Object fill = arguments.get(1, "fill_with", None.NONE);
        List<Object> items = Types.items(value, context.work);
        if (size < 1) {
            throw new Fault("'linecount' must be at least 1");
        }
        List<Object> batches = new ArrayList<>();
        for (int from = 0; from < items.size(); from += size) {
            List<Object> batch = new ArrayList<>(items.subList(from, Math.min(items.size(), from + size)));
            context.work.chargeItems(fill == None.NONE ? 0 : size - batch.size());
            while (fill != None.NONE && batch.size() < size) {
                batch.add(fill);
            }
            batches.add(batch);
            if (size > items.size() - from) {
                break;
            }
        }
        return OneShot.generator(batches);
    }

    /** How sort, unique, min and max compare items: by their paths, strings without regard to case unless asked. */
    private record Order(List<ItemPath> paths, boolean isCaseSensitive, Work work) implements Comparator<Object> {

        Object key(Object item, ItemPath path) {
            Object key = path.get(item, work);
            if (isCaseSensitive || !(key instanceof String text)) {
                return key;
            }
            work.charge(text.length());
            return CodePoints.lower(text);
        }

        @Override
        public int compare(Object a, Object b) {
            for (ItemPath path : paths) {
                int order = PythonOrder.compare(key(a, path), key(b, path), work);
                if (order != 0) {
                    return order;
                }
            }
            return 0;
        }

        List<Object> sorted(List<Object> items, boolean isReverse) {
            List<Object> sorted = new ArrayList<>(items);
            PythonOrder.sort(sorted, isReverse ? (a, b) -> compare(b, a) : this, work);
            return sorted;
        }
    }
}
