package io.radixflow.text.template;

import io.radixflow.text.template.Filters.Filter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Filters that apply a filter or test to each item: map, select, reject and those by attribute. */
final class ChoiceFilters {

    private ChoiceFilters() {}

    static void addTo(Map<String, Filter> filters) {
        filters.put("map", ChoiceFilters::map);
        filters.put("select", (context, value, arguments) -> choose(context, value, arguments, false, true));
        filters.put("reject", (context, value, arguments) -> choose(context, value, arguments, false, false));
        filters.put("selectattr", (context, value, arguments) -> choose(context, value, arguments, true, true));
        filters.put("rejectattr", (context, value, arguments) -> choose(context, value, arguments, true, false));
    }

    private static Object map(Context context, Object value, Arguments arguments) {
        List<Object> mapped = new ArrayList<>();
        if (arguments.positional().isEmpty()) {
            Arguments named = new Arguments(List.of(), arguments.named()).check("attribute", "default");
            Object absent = named.find(1, "default");
            ItemPath path = ItemPath.of(named.get(0, "attribute"), absent == None.NONE ? null : absent);
            for (Object item : itemsOf(value, context)) {
                mapped.add(path.get(item, context.work));
            }
        } else {
            Filter filter = Filters.find(arguments.text(0, "filter"));
            Arguments rest = arguments.from(1);
            for (Object item : itemsOf(value, context)) {
                context.work.charge(Work.NODE);
                mapped.add(filter.apply(context, item, rest));
            }
        }
        return OneShot.generator(mapped);
    }

    private static Object choose(
            Context context, Object value, Arguments arguments, boolean isByAttribute, boolean keepsTrue) {
        int skipped = isByAttribute ? 1 : 0;
        ItemPath path = ItemPath.of(isByAttribute ? arguments.get(0, "attribute") : None.NONE);
        boolean hasTest = arguments.positional().size() > skipped;
        Tests.Test test = hasTest
                ? Tests.find(Types.text(arguments.positional().get(skipped), "test"))
                : (tested, item, none) -> Types.isTrue(item);
        Arguments rest = arguments.from(skipped + 1);
        List<Object> chosen = new ArrayList<>();
        for (Object item : itemsOf(value, context)) {
            context.work.charge(Work.NODE);
            if (test.test(context, path.get(item, context.work), rest) == keepsTrue) {
                chosen.add(item);
            }
        }
        return OneShot.generator(chosen);
    }

    /** Like jinja2, these filters take a false value, such as none, for an empty sequence. */
    private static List<Object> itemsOf(Object value, Context context) {
        return value instanceof OneShot || Types.isTrue(value) ? Types.items(value, context.work) : List.of();
    }
}
