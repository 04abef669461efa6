package io.radixflow.text.template;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * The kinds of values and Python's idea of them. A value is a String, Long, Double, Boolean, {@link None}, {@link Undefined}, List,
 * {@link Tuple}, {@link Dict}, {@link DictView}, {@link Range}, {@link OneShot}, {@link Namespace}, {@link LoopState} or {@link Callable}.
 */
final class Types {

    private Types() {}

    static String name(Object value) {
        if (value instanceof String) {
            return "str";
        } else if (value instanceof Long) {
            return "int";
        } else if (value instanceof Double) {
            return "float";
        } else if (value instanceof Boolean) {
            return "bool";
        } else if (value instanceof None) {
            return "NoneType";
        } else if (value instanceof List) {
            return "list";
        } else if (value instanceof Dict) {
            return "dict";
        } else if (value instanceof DictView view) {
            return view.typeName();
        } else if (value instanceof OneShot generator) {
            return generator.typeName;
        } else if (value instanceof LoopState) {
            return "loop";
        } else if (value instanceof Callable) {
            return "function";
        }
        return value.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
    }

    static boolean isTrue(Object value) {
        if (value instanceof Boolean isTrue) {
            return isTrue;
        } else if (value instanceof Long number) {
            return number != 0;
        } else if (value instanceof Double number) {
            return number != 0;
        } else if (value instanceof String text) {
            return !text.isEmpty();
        } else if (value instanceof None || value instanceof Undefined) {
            return false;
        }
        return !isSized(value) || size(value) > 0;
    }

    /** Whether len() works. */
    static boolean isSized(Object value) {
        return value instanceof String
                || value instanceof List
                || value instanceof Tuple
                || value instanceof Dict
                || value instanceof DictView
                || value instanceof Range
                || value instanceof LoopState
                || value instanceof Undefined;
    }

    /** Python's len(). */
    static int size(Object value) {
        if (value instanceof String text) {
            return CodePoints.length(text);
        } else if (value instanceof List<?> list) {
            return list.size();
        } else if (value instanceof Tuple tuple) {
            return tuple.items().size();
        } else if (value instanceof Dict dict) {
            return dict.size();
        } else if (value instanceof DictView view) {
            return view.items().size();
        } else if (value instanceof Range range) {
            return range.size();
        } else if (value instanceof LoopState loop) {
            return loop.size();
        } else if (value instanceof Undefined) {
            return 0;
        }
        throw new Fault("a value of type '" + name(value) + "' has no length");
    }

    static boolean isIterable(Object value) {
        return isSized(value) || value instanceof OneShot;
    }

    /** The items that iterating yields; consumes a generator. The caller only reads the list. */
    static List<Object> items(Object value, Work work) {
        if (value instanceof OneShot generator) {
            return drain(generator, work);
        }
        if (!isSized(value) || value instanceof LoopState) {
            throw new Fault("a value of type '" + name(value) + "' can't be iterated over");
        }
        if (value instanceof String text) {
            work.charge((long) Work.NODE * text.length()); // each becomes an object of its own
            return characters(text);
        }
        work.chargeItems(size(value));
        if (value instanceof List<?> list) {
            return list(list);
        } else if (value instanceof Tuple tuple) {
            return tuple.items();
        } else if (value instanceof Dict dict) {
            return dict.keys();
        } else if (value instanceof DictView view) {
            return view.items();
        } else if (value instanceof Range range) {
            return range.items();
        }
        return List.of();
    }

    @SuppressWarnings("unchecked") // every List among values is one of values
    static List<Object> list(List<?> list) {
        return (List<Object>) list;
    }

    private static List<Object> drain(OneShot generator, Work work) {
        List<Object> items = new ArrayList<>();
        for (Iterator<Object> rest = generator.rest; rest.hasNext(); ) {
            items.add(rest.next());
        }
        work.chargeItems(items.size());
        return items;
    }

    private static List<Object> characters(String text) {
        List<Object> characters = new ArrayList<>(text.length());
        text.codePoints().forEach(c -> characters.add(Character.toString(c)));
        return characters;
    }

    /** The value as a string, without conversion. */
    static String text(Object value, String what) {
        if (value instanceof String text) {
            return text;
        }
        throw wrong(value, what, "a string");
    }

    /** The value as an integer; booleans count as 0 and 1. */
    static long integer(Object value, String what) {
        if (value instanceof Long number) {
            return number;
        } else if (value instanceof Boolean isTrue) {
            return isTrue ? 1 : 0;
        }
        throw wrong(value, what, "an integer");
    }

    private static Fault wrong(Object value, String what, String wanted) {
        return value instanceof Undefined missing
                ? missing.fault()
                : new Fault("'" + what + "' must be " + wanted + ", not '" + name(value) + "'");
    }
}
