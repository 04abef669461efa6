package io.radixflow.text.template;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code format % values}, as the operator and the format filter use it. */
final class PercentFormat {

    private static final Pattern DIRECTIVE =
            Pattern.compile("%(?:\\(([^)]*)\\))?([-+ 0]*)(\\d{0,9})(?:\\.(\\d{0,9}))?([a-zA-Z%])");

    private PercentFormat() {}

    /** @param values a tuple for several, a dict for named ones, else the only one */
    static String format(String format, Object values, Work work) {
        List<Object> items = values instanceof Tuple tuple ? tuple.items() : List.of(values);
        StringBuilder text = new StringBuilder();
        int numUsed = 0;
        int from = 0;
        Matcher directive = DIRECTIVE.matcher(format);
        work.charge(format.length());
        for (int at = format.indexOf('%'); at >= 0; at = format.indexOf('%', from)) {
            text.append(format, from, at);
            if (!directive.region(at, format.length()).lookingAt()) {
                throw new Fault("incomplete or unsupported '%' directive in a format");
            }
            from = directive.end();
            String written;
            if (directive.group(5).equals("%")) {
                written = "%";
            } else if (directive.group(1) != null) {
                Object value = values instanceof Dict dict ? dict.get(directive.group(1)) : null;
                if (value == null) {
                    throw new Fault("no value named '" + directive.group(1) + "' for a format");
                }
                written = one(directive, value, work);
            } else {
                if (numUsed == items.size()) {
                    throw new Fault("not enough values for a format");
                }
                written = one(directive, items.get(numUsed++), work);
            }
            work.charge(Work.NODE + (long) written.length());
            work.checkText((long) text.length() + written.length());
            text.append(written);
        }
        if (numUsed < items.size() && !(values instanceof Dict)) {
            throw new Fault("more values than a format takes");
        }
        return text.append(format, from, format.length()).toString();
    }

    private static String one(Matcher directive, Object value, Work work) {
        String flags = directive.group(2);
        int width = directive.group(3).isEmpty() ? 0 : Integer.parseInt(directive.group(3));
        String digits = directive.group(4);
        int precision = digits == null ? -1 : digits.isEmpty() ? 0 : Integer.parseInt(digits);
        char type = directive.group(5).charAt(0);
        boolean isLeft = flags.contains("-");
        char sign = flags.contains("+") ? '+' : flags.contains(" ") ? ' ' : 0;
        if (type == 's' || type == 'r') {
            String text = type == 's' ? PythonText.of(value, work) : PythonText.repr(value, work);
            work.charge(text.length());
            return new FormatSpec(' ', isLeft ? '<' : '>', (char) 0, width, precision, false, 's').text(text);
        }
        boolean isZeroPadded = flags.contains("0") && !isLeft;
        char align = isLeft ? '<' : isZeroPadded ? '=' : '>';
        char conversion = type == 'i' || type == 'u' ? 'd' : type;
        Object number = conversion == 'd' && value instanceof Double real ? (Object) (long) (double) real : value;
        if ("dxXoeEfF".indexOf(conversion) < 0) {
            throw new Fault("the format type '" + type + "' is not supported");
        }
        return new FormatSpec(isZeroPadded ? '0' : ' ', align, sign, width, precision, false, conversion)
                .number(number);
    }
}
