package io.radixflow.grammar;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Formats of JSON Schema as regular expressions of whole texts. Each matches valid texts only; of hosts, mail addresses and the seconds of a time it
 * leaves out rare forms (the year 0, labels over 41 characters, local parts that are quoted or long, leap seconds). So that what {@code not} lets through is no
 * such form either, those formats have a wider expression, too, that holds all of their texts.
 */
final class Formats {

    private static final String DATE =
            "((\\d{3}[1-9]|\\d\\d[1-9]0|\\d[1-9]00|[1-9]000)-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))"
                    + "|(\\d\\d(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)-02-29)";
    private static final String TIME =
            "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)";
    private static final String LABEL = "(([A-Za-z0-9]{1,20}-)?[A-Za-z0-9]{1,20}|[A-Za-z0-9](-?[A-Za-z0-9]){0,20})";
    private static final String HOST = LABEL + "(\\." + LABEL + "){0,5}";
    private static final String ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]";
    private static final String LOCAL =
            "(" + ATOM + "{1,20}(\\." + ATOM + "{1,20}){0,2}|" + ATOM + "(\\.?" + ATOM + "){0,31})";
    private static final String MAIL = LOCAL + "@(" + LABEL + "\\.){1,4}[A-Za-z]{2,10}";
    private static final String BYTE = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
    private static final String IPV4 = BYTE + "(\\." + BYTE + "){3}";
    private static final String GROUP = "[0-9A-Fa-f]{1,4}";
    private static final String HEX = "[0-9A-Fa-f]";
    private static final String CHAR = "([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
    private static final String AUTHORITY = "([A-Za-z0-9._~-]+@)?[A-Za-z0-9]+([.-][A-Za-z0-9]+)*(:\\d{1,5})?";
    private static final String URI = "[A-Za-z][A-Za-z0-9+.-]*:(//" + AUTHORITY + "(/" + CHAR + "*)*|/(" + CHAR + "+(/"
            + CHAR + "*)*)?|(" + CHAR + "+(/" + CHAR + "*)*)?)(\\?(" + CHAR + "|[/?])*)?(#(" + CHAR + "|[/?])*)?";
    private static final String COUNT = "\\d{1,9}";

    private static final Map<String, String> REGEX = Map.ofEntries(
            Map.entry("date", DATE),
            Map.entry("time", TIME),
            Map.entry("date-time", DATE + "[Tt]" + TIME),
            Map.entry("duration", duration()),
            Map.entry("email", MAIL),
            Map.entry("hostname", HOST),
            Map.entry("uri", URI),
            Map.entry("uuid", HEX + "{8}-" + HEX + "{4}-" + HEX + "{4}-" + HEX + "{4}-" + HEX + "{12}"),
            Map.entry("ipv4", IPV4),
            Map.entry("ipv6", ipv6()));

    /** Every text of the format, and others. */
    private static final Map<String, String> WIDE = Map.of(
            "date", "\\d\\d\\d\\d-[^]*",
            "time", "\\d\\d:[^]*",
            "date-time", "\\d\\d\\d\\d-[^]*",
            "duration", "[Pp][^]*",
            "email", "[^]*@[^]*",
            "hostname", "[^@:/ ]+",
            "uri", "[A-Za-z][A-Za-z0-9+.-]*:[^]*");

    /** Those of the standard that are not enforced. */
    private static final Set<String> REFUSED = Set.of(
            "idn-email",
            "idn-hostname",
            "iri",
            "uri-reference",
            "iri-reference",
            "uri-template",
            "json-pointer",
            "relative-json-pointer",
            "regex");

    private Formats() {}

    private static String duration() {
        String date =
                "(" + COUNT + "Y(" + COUNT + "M(" + COUNT + "D)?)?|" + COUNT + "M(" + COUNT + "D)?|" + COUNT + "D)";
        String time =
                "T(" + COUNT + "H(" + COUNT + "M(" + COUNT + "S)?)?|" + COUNT + "M(" + COUNT + "S)?|" + COUNT + "S)";
        return "P(" + date + "(" + time + ")?|" + time + "|" + COUNT + "W)";
    }

    private static String ipv6() {
        StringBuilder forms = new StringBuilder("((" + GROUP + ":){7}" + GROUP);
        for (int before = 0; before <= 6; before++) {
            String left = before == 0 ? "" : GROUP + "(:" + GROUP + "){" + (before - 1) + "}";
            int most = 6 - before;
            String right = most == 0 ? "(" + GROUP + ")?" : "(" + GROUP + "(:" + GROUP + "){0," + most + "})?";
            forms.append('|').append(left).append("::").append(right);
            if (before <= 5) {
                forms.append('|').append(left).append("::(").append(GROUP).append(":){0,");
                forms.append(5 - before).append('}').append(IPV4);
            }
        }
        forms.append("|(").append(GROUP).append(":){6}").append(IPV4);
        return forms.append("|")
                .append(GROUP)
                .append("(:")
                .append(GROUP)
                .append("){6}::)")
                .toString();
    }

    /** The format's expression; null if the standard doesn't know the format, which is then a remark without demands. */
    static @Nullable String regex(SchemaNode schema, String format) {
        if (REFUSED.contains(format)) {
            throw schema.refusal(
                    "format", "asks for " + format + ", which can't be enforced; leave it out or give a pattern");
        }
        return REGEX.get(format);
    }

    /** For a format with an expression: one that no text of the format fails. */
    static String wideRegex(String format) {
        return WIDE.getOrDefault(format, String.valueOf(REGEX.get(format)));
    }

    /** Whether the expression is all of the format. */
    static boolean isExact(String format) {
        return !WIDE.containsKey(format);
    }
}
