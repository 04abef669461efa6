package io.radixflow.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Python's split, rsplit, partition and rpartition of strings. */
final class Splitting {

    private Splitting() {}

    static Object split(String text, Work work, Arguments arguments, boolean fromEnd) {
        arguments.check("sep", "maxsplit");
        Object separator = arguments.get(0, "sep", None.NONE);
        long most = Types.integer(arguments.get(1, "maxsplit", -1L), "maxsplit");
        long limit = most < 0 ? Long.MAX_VALUE : most;
        work.charge(text.length());
        if (separator == None.NONE) {
            return fromEnd ? blanksFromEnd(text, limit, work) : blanks(text, limit, work);
        }
        String wanted = nonEmpty(Types.text(separator, "sep"));
        work.chargeSearch(text, wanted);
        return fromEnd ? fromEnd(text, wanted, limit, work) : fromStart(text, wanted, limit, work);
    }

    private static String nonEmpty(String separator) {
        if (separator.isEmpty()) {
            throw new Fault("the separator is empty");
        }
        return separator;
    }

    private static List<Object> fromStart(String text, String separator, long most, Work work) {
        List<Object> parts = new ArrayList<>();
        int from = 0;
        for (int at = text.indexOf(separator); at >= 0 && parts.size() < most; at = text.indexOf(separator, from)) {
            work.charge(Work.ITEM);
            parts.add(text.substring(from, at));
            from = at + separator.length();
        }
        parts.add(text.substring(from));
        return parts;
    }

    private static List<Object> fromEnd(String text, String separator, long most, Work work) {
        List<Object> parts = new ArrayList<>();
        int to = text.length();
        while (parts.size() < most) {
            int at = to < separator.length() ? -1 : text.lastIndexOf(separator, to - separator.length());
            if (at < 0) {
                break;
            }
            work.charge(Work.ITEM);
            parts.add(text.substring(at + separator.length(), to));
            to = at;
        }
        parts.add(text.substring(0, to));
        Collections.reverse(parts);
        return parts;
    }

    private static List<Object> blanks(String text, long most, Work work) {
        List<Object> parts = new ArrayList<>();
        int i = 0;
        while (true) {
            while (i < text.length() && CodePoints.isSpace(text.charAt(i))) {
                i++;
            }
            if (i == text.length()) {
                return parts;
            }
            if (parts.size() == most) {
                parts.add(text.substring(i));
                return parts;
            }
            int from = i;
            while (i < text.length() && !CodePoints.isSpace(text.charAt(i))) {
                i++;
            }
            work.charge(Work.ITEM);
            parts.add(text.substring(from, i));
        }
    }

    private static List<Object> blanksFromEnd(String text, long most, Work work) {
        List<Object> parts = new ArrayList<>();
        int i = text.length();
        while (true) {
            while (i > 0 && CodePoints.isSpace(text.charAt(i - 1))) {
                i--;
            }
            if (i == 0) {
                break;
            }
            if (parts.size() == most) {
                parts.add(text.substring(0, i));
                break;
            }
            int to = i;
            while (i > 0 && !CodePoints.isSpace(text.charAt(i - 1))) {
                i--;
            }
            work.charge(Work.ITEM);
            parts.add(text.substring(i, to));
        }
        Collections.reverse(parts);
        return parts;
    }

    static Object partition(String text, Work work, Arguments arguments, boolean fromEnd) {
        String separator = nonEmpty(arguments.check("sep").text(0, "sep"));
        work.chargeSearch(text, separator);
        int at = fromEnd ? text.lastIndexOf(separator) : text.indexOf(separator);
        if (at < 0) {
            return fromEnd ? Tuple.of("", "", text) : Tuple.of(text, "", "");
        }
        return Tuple.of(text.substring(0, at), separator, text.substring(at + separator.length()));
    }
}
