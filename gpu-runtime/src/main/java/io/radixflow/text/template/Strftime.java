package io.radixflow.text.template;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;

/** The directives of C's strftime that templates use, in English. */
final class Strftime {

    private static final Map<Character, String> PATTERNS = Map.ofEntries(
            Map.entry('Y', "yyyy"),
            Map.entry('y', "yy"),
            Map.entry('m', "MM"),
            Map.entry('d', "dd"),
            Map.entry('H', "HH"),
            Map.entry('I', "hh"),
            Map.entry('M', "mm"),
            Map.entry('S', "ss"),
            Map.entry('f', "SSSSSS"),
            Map.entry('j', "DDD"),
            Map.entry('B', "MMMM"),
            Map.entry('b', "MMM"),
            Map.entry('A', "EEEE"),
            Map.entry('a', "EEE"),
            Map.entry('p', "a"),
            Map.entry('F', "yyyy-MM-dd"),
            Map.entry('T', "HH:mm:ss"));

    private Strftime() {}

    static String format(LocalDateTime time, String format) {
        StringBuilder text = new StringBuilder();
        int i = 0;
        while (i < format.length()) {
            char c = format.charAt(i++);
            if (c != '%') {
                text.append(c);
                continue;
            }
            boolean isUnpadded = i < format.length() && format.charAt(i) == '-';
            i += isUnpadded ? 1 : 0;
            if (i >= format.length()) {
                throw new Fault("the format ends in '%'");
            }
            text.append(directive(time, format.charAt(i++), isUnpadded));
        }
        return text.toString();
    }

    private static String directive(LocalDateTime time, char directive, boolean isUnpadded) {
        if (directive == '%') {
            return "%";
        } else if (directive == 'e') {
            return String.format(Locale.ROOT, isUnpadded ? "%d" : "%2d", time.getDayOfMonth());
        }
        String pattern = PATTERNS.get(directive);
        if (pattern == null) {
            throw new Fault("the directive '%" + directive + "' is not supported");
        }
        String text = DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
        return isUnpadded ? text.replaceFirst("^0+(?=\\d)", "") : text;
    }
}
