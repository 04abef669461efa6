package io.radixflow.text.template;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code str.format}: fields by order, index or name, with conversions and the common format types. */
final class BraceFormat {

    private static final Pattern FIELD = Pattern.compile("\\{([^{}!:.\\[]*)(?:!([sr]))?(?::([^{}]*))?\\}");
    private static final Pattern SPEC = Pattern.compile(
            "(?:(.)?([<>^=]))?([-+ ]?)(0?)(\\d{0,9})(,?)(?:\\.(\\d{1,9}))?([a-zA-Z%]?)", Pattern.DOTALL);

    private BraceFormat() {}

    static String format(String format, Arguments arguments, Work work) {
        StringBuilder text = new StringBuilder();
        Matcher field = FIELD.matcher(format);
        work.charge(format.length());
        int numUsed = 0;
        int i = 0;
        while (i < format.length()) {
            char c = format.charAt(i);
            if (c != '{' && c != '}') {
                text.append(c);
                i++;
            } else if (i + 1 < format.length() && format.charAt(i + 1) == c) {
                text.append(c);
                i += 2;
            } else if (c == '{' && field.region(i, format.length()).lookingAt()) {
                Object value = value(field.group(1), numUsed, arguments);
                numUsed += field.group(1).isEmpty() ? 1 : 0;
                String written = one(field, value, work);
                work.charge(Work.NODE + (long) written.length());
                work.checkText((long) text.length() + written.length());
                text.append(written);
                i = field.end();
            } else {
                throw new Fault("a lone brace or an unsupported field in a format");
            }
        }
        return text.toString();
    }

    private static Object value(String name, int numUsed, Arguments arguments) {
        boolean isIndex = name.matches("\\d{1,9}");
        if (!name.isEmpty() && !isIndex) {
            Object value = arguments.named().get(name);
            if (value == null) {
                throw new Fault("no value named '" + name + "' for a format");
            }
            return value;
        }
        int index = isIndex ? Integer.parseInt(name) : numUsed;
        if (index >= arguments.positional().size()) {
            throw new Fault("not enough values for a format");
        }
        return arguments.positional().get(index);
    }

    private static String one(Matcher field, Object given, Work work) {
        String conversion = field.group(2);
        Object value = conversion == null
                ? given
                : conversion.equals("r") ? PythonText.repr(given, work) : PythonText.of(given, work);
        String spec = field.group(3);
        if (spec == null || spec.isEmpty()) {
            return PythonText.of(value, work);
        }
        Matcher parts = SPEC.matcher(spec);
        if (!parts.matches()) {
            throw new Fault("the format '" + spec + "' is not supported");
        }
        boolean isNumber = PythonNumbers.isNumber(value);
        char type = parts.group(8).isEmpty()
                ? (value instanceof String ? 's' : 'd')
                : parts.group(8).charAt(0);
        if ((value instanceof Double && parts.group(8).isEmpty()) || !(isNumber || value instanceof String)) {
            throw new Fault("the format '" + spec + "' is not supported for '" + Types.name(value) + "'");
        }
        boolean isZeroPadded = !parts.group(4).isEmpty();
        char align = parts.group(2) != null ? parts.group(2).charAt(0) : isZeroPadded && isNumber ? '=' : (char) 0;
        char fill = parts.group(1) != null ? parts.group(1).charAt(0) : isZeroPadded ? '0' : ' ';
        char sign = parts.group(3).isEmpty() || parts.group(3).equals("-")
                ? 0
                : parts.group(3).charAt(0);
        int width = parts.group(5).isEmpty() ? 0 : Integer.parseInt(parts.group(5));
        int precision = parts.group(7) == null ? -1 : Integer.parseInt(parts.group(7));
        boolean hasCommas = !parts.group(6).isEmpty();
        work.charge(value instanceof String text ? text.length() : 0);
        FormatSpec formatSpec = new FormatSpec(fill, align, sign, width, precision, hasCommas, type);
        return value instanceof String text && type == 's' ? formatSpec.text(text) : formatSpec.number(value);
    }
}
