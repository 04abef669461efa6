package io.radixflow.text.template;

import io.radixflow.text.template.Filters.Filter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Filters that yield text. */
final class TextFilters {

    private static final Pattern WORD_START = Pattern.compile("[-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);

    private TextFilters() {}

    static void addTo(Map<String, Filter> filters) {
        filters.put("string", plain((context, text) -> text));
        filters.put("safe", plain((context, text) -> text));
        filters.put("upper", plain((context, text) -> StringMethods.upper(text, context.work)));
        filters.put("lower", plain((context, text) -> StringMethods.lower(text, context.work)));
        filters.put("capitalize", plain((context, text) -> StringMethods.capitalize(text, context.work)));
        filters.put("title", plain((context, text) -> title(text, context.work)));
        filters.put("escape", plain((context, text) -> escape(text, context.work)));
        filters.put("e", plain((context, text) -> escape(text, context.work)));
        filters.put("trim", TextFilters::trim);
        filters.put("replace", TextFilters::replace);
        filters.put("join", TextFilters::join);
        filters.put("indent", TextFilters::indent);
        filters.put("format", TextFilters::format);
        filters.put("center", TextFilters::center);
        filters.put("wordcount", TextFilters::countWords);
    }

    private interface TextChange {
        Object apply(Context context, String text);
    }

    /** A filter without arguments, which works on what the value prints as. */
    private static Filter plain(TextChange change) {
        return (context, value, arguments) -> {
            arguments.check();
            return change.apply(context, context.text(value));
        };
    }

    private static Object trim(Context context, Object value, Arguments arguments) {
        Object chars = arguments.check("chars").get(0, "chars", None.NONE);
        String text = context.text(value);
        String stripped = chars == None.NONE ? null : Types.text(chars, "chars");
        context.work.charge(StringMethods.stripWork(text, stripped));
        return CodePoints.strip(text, stripped, true, true);
    }

    private static Object replace(Context context, Object value, Arguments arguments) {
        arguments.check("old", "new", "count");
        Object count = arguments.get(2, "count", None.NONE);
        long most = count == None.NONE ? -1 : Types.integer(count, "count");
        String old = context.text(arguments.get(0, "old"));
        String replacement = context.text(arguments.get(1, "new"));
        return StringMethods.replace(context.text(value), old, replacement, most, context.work);
    }

    private static Object join(Context context, Object value, Arguments arguments) {
        arguments.check("d", "attribute");
        String separator = context.text(arguments.get(0, "d", ""));
        ItemPath path = ItemPath.of(arguments.get(1, "attribute", None.NONE));
        List<String> parts = new ArrayList<>();
        for (Object item : Types.items(value, context.work)) {
            parts.add(context.text(path.get(item, context.work)));
        }
        return StringMethods.join(separator, parts, context.work);
    }

    private static Object indent(Context context, Object value, Arguments arguments) {
        arguments.check("width", "first", "blank");
        String indentation = Filters.indentation(arguments.get(0, "width", 4L), context.work);
        boolean indentsBlank = arguments.isTrue(2, "blank", false);
        List<String> lines = StringMethods.lines(Types.text(value, "indented value") + "\n", false, context.work);
        StringBuilder text = new StringBuilder(arguments.isTrue(1, "first", false) ? indentation : "");
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            context.work.chargeText((long) indentation.length() + line.length());
            context.work.checkText((long) text.length() + indentation.length() + line.length());
            text.append(i == 0 ? "" : "\n");
            text.append(i > 0 && (indentsBlank || !line.isEmpty()) ? indentation : "")
                    .append(line);
        }
        return text.toString();
    }

    private static Object format(Context context, Object value, Arguments arguments) {
        if (!arguments.positional().isEmpty() && !arguments.named().isEmpty()) {
            throw new Fault("takes arguments either in order or by name");
        }
        if (arguments.named().isEmpty()) {
            return PercentFormat.format(context.text(value), new Tuple(arguments.positional()), context.work);
        }
        Dict named = new Dict();
        arguments.named().forEach(named::put);
        return PercentFormat.format(context.text(value), named, context.work);
    }

    private static Object center(Context context, Object value, Arguments arguments) {
        String text = context.text(value);
        long blanks = Math.max(
                0, Types.integer(arguments.check("width").get(0, "width", 80L), "width") - CodePoints.length(text));
        context.work.chargeText(blanks + text.length());
        // Python puts the odd blank to the left if the width is odd.
        long left = blanks / 2 + (blanks & (blanks + CodePoints.length(text)) & 1);
        return " ".repeat((int) left) + text + " ".repeat((int) (blanks - left));
    }

    private static Object countWords(Context context, Object value, Arguments arguments) {
        arguments.check();
        String text = context.text(value);
        context.work.charge(text.length());
        Matcher words = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS).matcher(text);
        long count = 0;
        while (words.find()) {
            count++;
        }
        return count;
    }

    /** Words begin after blanks, hyphens and opening brackets. */
    private static String title(String text, Work work) {
        work.charge((long) Work.ITEM * text.length()); // each word is a few texts on the way
        StringBuilder title = new StringBuilder(text.length());
        Matcher starts = WORD_START.matcher(text);
        int from = 0;
        while (starts.find()) {
            title.append(StringMethods.titleWord(text.substring(from, starts.start())))
                    .append(starts.group());
            from = starts.end();
        }
        return title.append(StringMethods.titleWord(text.substring(from))).toString();
    }

    private static String escape(String text, Work work) {
        work.charge(6L * text.length());
        return text.replace("&", "&amp;")
                .replace(">", "&gt;")
                .replace("<", "&lt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;");
    }
}
