package io.radixflow.text.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's json.dumps(), as transformers sets it up for the tojson filter. One writer writes one value. */
final class Json {

    /**
     * How to write.
     *
     * @param indent what a level is indented by; null for one line
     * @param itemSeparator between items
     * @param keySeparator between key and value
     */
    record Style(
            boolean ensureAscii,
            @Nullable String indent,
            String itemSeparator,
            String keySeparator,
            boolean sortKeys) {}

    private final Style style;
    private final Work work;
    private final StringBuilder json = new StringBuilder();
    private int level;

    private Json(Style style, Work work) {
        this.style = style;
        this.work = work;
    }

    static String write(Object value, Style style, Work work) {
        Json writer = new Json(style, work);
        writer.write(value);
        return writer.json.toString();
    }

    private void write(Object value) {
        work.charge(Work.NODE);
        if (value instanceof String text) {
            writeText(text);
        } else if (value instanceof Dict dict) {
            writeDict(dict);
        } else if (value instanceof List<?> list) {
            writeItems(Types.list(list));
        } else if (value instanceof Tuple tuple) {
            writeItems(tuple.items());
        } else {
            json.append(scalar(value));
        }
    }

    private static String scalar(Object value) {
        if (value instanceof Boolean || value instanceof Long) {
            return value.toString();
        } else if (value instanceof None) {
            return "null";
        } else if (value instanceof Double number) {
            return Double.isNaN(number)
                    ? "NaN"
                    : Double.isInfinite(number) ? (number > 0 ? "Infinity" : "-Infinity") : PythonNumbers.repr(number);
        } else if (value instanceof Undefined missing) {
            throw missing.fault();
        }
        throw new Fault("a value of type '" + Types.name(value) + "' can't be written as JSON");
    }

    private void writeItems(List<Object> items) {
        open('[');
        for (int i = 0; i < items.size(); i++) {
            startItem(i == 0);
            write(items.get(i));
        }
        close(']', items.isEmpty());
    }

    private void writeDict(Dict dict) {
        List<Dict.Entry> entries = new ArrayList<>(dict.entries());
        if (style.sortKeys) {
            PythonOrder.sort(entries, (a, b) -> PythonOrder.compare(a.key(), b.key(), work), work);
        }
        open('{');
        boolean isFirst = true;
        for (Dict.Entry entry : entries) {
            startItem(isFirst);
            isFirst = false;
            writeText(entry.key() instanceof String text ? text : scalar(key(entry.key())));
            reserve(style.keySeparator.length());
            json.append(style.keySeparator);
            write(entry.value());
        }
        close('}', isFirst);
    }

    private static Object key(Object key) {
        if (key instanceof Undefined || !(PythonNumbers.isNumber(key) || key instanceof None)) {
            throw new Fault("a key of type '" + Types.name(key) + "' can't be written as JSON");
        }
        return key;
    }

    private void open(char bracket) {
        work.enter();
        level++;
        json.append(bracket);
    }

    private void startItem(boolean isFirst) {
        if (!isFirst) {
            reserve(style.itemSeparator.length());
            json.append(style.itemSeparator);
        }
        startLine();
    }

    /** Pays for so much more text, and keeps the whole within the limit. */
    private void reserve(long chars) {
        work.charge(chars);
        work.checkText(json.length() + chars);
    }

    private void startLine() {
        if (style.indent != null) {
            reserve((long) level * style.indent.length());
            json.append('\n').append(style.indent.repeat(level));
        }
    }

    private void close(char bracket, boolean isEmpty) {
        level--;
        if (!isEmpty) {
            startLine();
        }
        json.append(bracket);
        work.leave();
    }

    private void writeText(String text) {
        reserve(text.length());
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\n' -> json.append("\\n");
                case '\r' -> json.append("\\r");
                case '\t' -> json.append("\\t");
                case '\f' -> json.append("\\f");
                case '\b' -> json.append("\\b");
                default -> {
                    if (c < 0x20 || (style.ensureAscii && c > 0x7e)) {
                        json.append("\\u")
                                .append(Character.forDigit(c >> 12, 16))
                                .append(Character.forDigit(c >> 8 & 15, 16));
                        json.append(Character.forDigit(c >> 4 & 15, 16)).append(Character.forDigit(c & 15, 16));
                    } else {
                        json.append(c);
                    }
                }
            }
        }
        json.append('"');
    }
}
