package io.radixflow.text.template;

import java.util.List;

/** Python's str() and repr() of values. */
final class PythonText {

    private final Work work;
    private final StringBuilder text = new StringBuilder();

    private PythonText(Work work) {
        this.work = work;
    }

    /** What printing a value writes. */
    static String of(Object value, Work work) {
        if (value instanceof String text) {
            return text;
        }
        return value instanceof Undefined ? "" : repr(value, work);
    }

    static String repr(Object value, Work work) {
        PythonText writer = new PythonText(work);
        writer.write(value);
        return writer.text.toString();
    }

    private void write(Object value) {
        if (value instanceof String string) {
            work.charge(string.length());
            work.checkText((long) text.length() + string.length());
            text.append(quoted(string));
        } else if (value instanceof Double number) {
            text.append(PythonNumbers.repr(number));
        } else if (value instanceof Boolean isTrue) {
            text.append(isTrue ? "True" : "False");
        } else if (value instanceof Long) {
            text.append(value);
        } else if (value instanceof None) {
            text.append("None");
        } else if (value instanceof Undefined) {
            text.append("Undefined");
        } else if (value instanceof Range range) {
            text.append("range(").append(range.start()).append(", ").append(range.stop());
            text.append(range.step() == 1 ? "" : ", " + range.step()).append(')');
        } else {
            writeContainer(value);
        }
    }

    private void writeContainer(Object value) {
        work.enter();
        if (value instanceof List<?> list) {
            writeItems("[", Types.list(list), "]");
        } else if (value instanceof Tuple tuple) {
            writeItems("(", tuple.items(), tuple.items().size() == 1 ? ",)" : ")");
        } else if (value instanceof DictView view) {
            writeItems(view.typeName() + "([", view.items(), "])");
        } else if (value instanceof Dict dict) {
            writeDict(dict);
        } else if (value instanceof Namespace namespace) {
            text.append("<Namespace ");
            writeDict(namespace.attributes());
            text.append('>');
        } else {
            throw new Fault("a value of type '" + Types.name(value) + "' can't be printed");
        }
        work.leave();
    }

    private void writeItems(String open, List<Object> items, String close) {
        text.append(open);
        for (int i = 0; i < items.size(); i++) {
            work.charge(Work.NODE);
            text.append(i == 0 ? "" : ", ");
            write(items.get(i));
        }
        text.append(close);
    }

    private void writeDict(Dict dict) {
        String separator = "{";
        for (Dict.Entry entry : dict.entries()) {
            work.charge(Work.NODE);
            text.append(separator);
            write(entry.key());
            text.append(": ");
            write(entry.value());
            separator = ", ";
        }
        text.append(dict.size() == 0 ? "{}" : "}");
    }

    /** Python's repr() of a string. */
    static String quoted(String string) {
        char quote = string.indexOf('\'') >= 0 && string.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder quoted = new StringBuilder(string.length() + 2).append(quote);
        for (int i = 0; i < string.length(); ) {
            int c = string.codePointAt(i);
            i += Character.charCount(c);
            if (c == quote || c == '\\') {
                quoted.append('\\').append((char) c);
            } else if (c == '\n' || c == '\r' || c == '\t') {
                quoted.append(c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
            } else if (isPrintable(c)) {
                quoted.appendCodePoint(c);
            } else {
                String hex = Integer.toHexString(c);
                int digits = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
                quoted.append(c < 0x100 ? "\\x" : c < 0x10000 ? "\\u" : "\\U");
                quoted.append("0".repeat(digits - hex.length())).append(hex);
            }
        }
        return quoted.append(quote).toString();
    }

    private static boolean isPrintable(int c) {
        return c == ' '
                || switch (Character.getType(c)) {
                    case Character.CONTROL,
                            Character.FORMAT,
                            Character.SURROGATE,
                            Character.PRIVATE_USE,
                            Character.UNASSIGNED,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SPACE_SEPARATOR -> false;
                    default -> true;
                };
    }
}
