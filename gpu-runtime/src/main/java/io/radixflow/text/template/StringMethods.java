package io.radixflow.text.template;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Python's methods of strings. */
final class StringMethods {

    /** What a call on a string does. */
    private interface Method {
        Object call(String text, Context context, Arguments arguments);
    }

    private static final Map<String, Method> BY_NAME = byName();

    /** Python has these too; a template that needs one is told so. */
    private static final Set<String> UNSUPPORTED = Set.of(
            "casefold",
            "center",
            "encode",
            "expandtabs",
            "format_map",
            "isascii",
            "isdecimal",
            "isidentifier",
            "isnumeric",
            "isprintable",
            "istitle",
            "ljust",
            "maketrans",
            "rjust",
            "swapcase",
            "translate");

    private StringMethods() {}

    /** The method bound to the text; null if Python has none of this name. */
    static @Nullable Object find(String text, String name) {
        Method method = BY_NAME.get(name);
        if (method != null) {
            return new Function(name, (context, arguments) -> method.call(text, context, arguments));
        }
        return UNSUPPORTED.contains(name) ? DictMethods.refused("string", name) : null;
    }

    private static Map<String, Method> byName() {
        Map<String, Method> methods = new HashMap<>();
        methods.put("strip", (text, context, arguments) -> strip(text, context, arguments, true, true));
        methods.put("lstrip", (text, context, arguments) -> strip(text, context, arguments, true, false));
        methods.put("rstrip", (text, context, arguments) -> strip(text, context, arguments, false, true));
        methods.put("upper", plain(StringMethods::upper));
        methods.put("lower", plain(StringMethods::lower));
        methods.put("title", plain(StringMethods::title));
        methods.put("capitalize", plain(StringMethods::capitalize));
        methods.put("isdigit", all(c -> Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER));
        methods.put("isalpha", all(Character::isLetter));
        methods.put("isalnum", all(c -> Character.isLetter(c) || Character.isDigit(c)));
        methods.put("isspace", all(CodePoints::isSpace));
        methods.put("isupper", (text, context, arguments) -> isCased("upper", text, context, arguments));
        methods.put("islower", (text, context, arguments) -> isCased("lower", text, context, arguments));
        methods.put("startswith", (text, context, arguments) -> hasAffix(text, context, arguments, true));
        methods.put("endswith", (text, context, arguments) -> hasAffix(text, context, arguments, false));
        methods.put("removeprefix", (text, context, arguments) -> {
            String prefix = arguments.check("prefix").text(0, "prefix");
            context.work.charge(text.length());
            return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
        });
        methods.put("removesuffix", (text, context, arguments) -> {
            String suffix = arguments.check("suffix").text(0, "suffix");
            context.work.charge(text.length());
            return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
        });
        methods.put("split", (text, context, arguments) -> Splitting.split(text, context.work, arguments, false));
        methods.put("rsplit", (text, context, arguments) -> Splitting.split(text, context.work, arguments, true));
        methods.put(
                "partition", (text, context, arguments) -> Splitting.partition(text, context.work, arguments, false));
        methods.put(
                "rpartition", (text, context, arguments) -> Splitting.partition(text, context.work, arguments, true));
        methods.put(
                "splitlines",
                (text, context, arguments) -> new ArrayList<Object>(
                        lines(text, arguments.check("keepends").isTrue(0, "keepends", false), context.work)));
        methods.put("replace", (text, context, arguments) -> {
            arguments.check("old", "new", "count");
            long most = Types.integer(arguments.get(2, "count", -1L), "count");
            return replace(text, arguments.text(0, "old"), arguments.text(1, "new"), most, context.work);
        });
        methods.put("join", (text, context, arguments) -> {
            List<String> parts = new ArrayList<>();
            for (Object item : Types.items(arguments.check("iterable").get(0, "iterable"), context.work)) {
                parts.add(Types.text(item, "joined item"));
            }
            return join(text, parts, context.work);
        });
        methods.put("find", (text, context, arguments) -> find(text, context, arguments, false, false));
        methods.put("rfind", (text, context, arguments) -> find(text, context, arguments, true, false));
        methods.put("index", (text, context, arguments) -> find(text, context, arguments, false, true));
        methods.put("rindex", (text, context, arguments) -> find(text, context, arguments, true, true));
        methods.put(
                "count",
                (text, context, arguments) -> count(text, arguments.check("sub").text(0, "sub"), context.work));
        methods.put("format", (text, context, arguments) -> BraceFormat.format(text, arguments, context.work));
        methods.put("zfill", (text, context, arguments) -> {
            int blanks = arguments.check("width").integer(0, "width") - CodePoints.length(text);
            context.work.chargeText((long) Math.max(0, blanks) + text.length());
            int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
            return text.substring(0, sign) + "0".repeat(Math.max(0, blanks)) + text.substring(sign);
        });
        return Map.copyOf(methods);
    }

    private interface Change {
        Object apply(String text, Work work);
    }

    private static Method plain(Change change) {
        return (text, context, arguments) -> {
            arguments.check();
            return change.apply(text, context.work);
        };
    }

    private static Method all(java.util.function.IntPredicate predicate) {
        return plain((text, work) -> {
            work.charge(text.length());
            return !text.isEmpty() && text.codePoints().allMatch(predicate);
        });
    }

    private static Object isCased(String test, String text, Context context, Arguments arguments) {
        context.work.charge(text.length());
        return Tests.find(test).test(context, text, arguments.check());
    }

    private static Object strip(String text, Context context, Arguments arguments, boolean atStart, boolean atEnd) {
        Object chars = arguments.check("chars").get(0, "chars", None.NONE);
        String stripped = chars == None.NONE ? null : Types.text(chars, "chars");
        context.work.charge(stripWork(text, stripped));
        return CodePoints.strip(text, stripped, atStart, atEnd);
    }

    /** Each stripped character is looked for among the given ones. */
    static long stripWork(String text, @Nullable String chars) {
        return text.length() * (1L + (chars == null ? 0 : chars.length() / 16));
    }

    static String upper(String text, Work work) {
        work.charge(text.length());
        return CodePoints.upper(text);
    }

    static String lower(String text, Work work) {
        work.charge(text.length());
        return CodePoints.lower(text);
    }

    static String capitalize(String text, Work work) {
        work.charge(text.length());
        return titleWord(text);
    }

    /** The first character in title case, the rest in lower case. */
    static String titleWord(String word) {
        if (word.isEmpty()) {
            return "";
        }
        int first = Character.charCount(word.codePointAt(0));
        String upper = word.substring(0, first).toUpperCase(Locale.ROOT);
        // A letter such as sharp s becomes two in upper case, of which the title has only the first so.
        String start = upper.length() > first
                ? upper.substring(0, 1) + upper.substring(1).toLowerCase(Locale.ROOT)
                : Character.toString(Character.toTitleCase(word.codePointAt(0)));
        String lower = CodePoints.lower(word);
        String lowerFirst = word.substring(0, first).toLowerCase(Locale.ROOT);
        return start
                + (lower.startsWith(lowerFirst)
                        ? lower.substring(lowerFirst.length())
                        : CodePoints.lower(word.substring(first)));
    }

    /** A word starts after anything that has no case. */
    private static String title(String text, Work work) {
        work.charge((long) Work.ITEM * text.length()); // each word is a few texts on the way
        StringBuilder title = new StringBuilder(text.length());
        int i = 0;
        while (i < text.length()) {
            int from = i;
            while (i < text.length() && isCased(text.codePointAt(i))) {
                i += Character.charCount(text.codePointAt(i));
            }
            title.append(titleWord(text.substring(from, i)));
            if (i < text.length()) {
                title.appendCodePoint(text.codePointAt(i));
                i += Character.charCount(text.codePointAt(i));
            }
        }
        return title.toString();
    }

    private static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }

    private static Object hasAffix(String text, Context context, Arguments arguments, boolean atStart) {
        Object affix = arguments.check("affix").get(0, "affix");
        List<Object> choices = affix instanceof Tuple tuple ? tuple.items() : List.of(affix);
        for (Object choice : choices) {
            String wanted = Types.text(choice, "affix");
            context.work.charge(wanted.length());
            if (atStart ? text.startsWith(wanted) : text.endsWith(wanted)) {
                return true;
            }
        }
        return false;
    }

    /** Replaces up to {@code most} times, always if that is negative. */
    static String replace(String text, String old, String replacement, long most, Work work) {
        work.chargeSearch(text, old);
        StringBuilder replaced = new StringBuilder();
        int from = 0;
        for (long count = 0; count != most; count++) {
            int at = old.isEmpty() ? nextGap(text, from, count) : text.indexOf(old, from);
            if (at < 0) {
                break;
            }
            work.charge(replacement.length() + 1L);
            work.checkText((long) replaced.length() + at - from + replacement.length());
            replaced.append(text, from, at).append(replacement);
            from = at + old.length();
        }
        return replaced.append(text, from, text.length()).toString();
    }

    /** Where an empty string is found: before each character and at the end. */
    private static int nextGap(String text, int from, long count) {
        if (count == 0) {
            return 0;
        }
        return from == text.length() ? -1 : text.offsetByCodePoints(from, 1);
    }

    static String join(String separator, List<String> parts, Work work) {
        long length = 0;
        for (String part : parts) {
            length += part.length() + (long) separator.length();
        }
        work.chargeText(length);
        return String.join(separator, parts);
    }

    private static Object find(String text, Context context, Arguments arguments, boolean fromEnd, boolean mustExist) {
        String wanted = arguments.check("sub").text(0, "sub");
        context.work.chargeSearch(text, wanted);
        int at = fromEnd ? text.lastIndexOf(wanted) : text.indexOf(wanted);
        if (at < 0 && mustExist) {
            throw new Fault("the substring is not there");
        }
        return at < 0 ? -1L : (long) text.codePointCount(0, at);
    }

    private static Object count(String text, String wanted, Work work) {
        work.chargeSearch(text, wanted);
        if (wanted.isEmpty()) {
            return CodePoints.length(text) + 1L;
        }
        long count = 0;
        for (int at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length())) {
            count++;
        }
        return count;
    }

    static List<String> lines(String text, boolean keepsEnds, Work work) {
        work.charge(text.length());
        List<String> lines = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            if (CodePoints.isLineEnd(text.charAt(i))) {
                int next = text.startsWith("\r\n", i) ? i + 2 : i + 1;
                work.charge(Work.ITEM);
                lines.add(text.substring(from, keepsEnds ? next : i));
                from = next;
                i = next - 1;
            }
        }
        if (from < text.length()) {
            lines.add(text.substring(from));
        }
        return lines;
    }
}
