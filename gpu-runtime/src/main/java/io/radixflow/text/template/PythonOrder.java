package io.radixflow.text.template;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;

/** Python's equality, order and membership. */
final class PythonOrder {

    private PythonOrder() {}

    static boolean areEqual(Object a, Object b, Work work) {
        work.charge(Work.ITEM);
        if (PythonNumbers.isNumber(a) && PythonNumbers.isNumber(b)) {
            return compareNumbers(a, b) == 0;
        } else if (a instanceof String x && b instanceof String y) {
            work.charge(Math.min(x.length(), y.length()));
            return x.equals(y);
        } else if (a instanceof List<?> x && b instanceof List<?> y) {
            return areItemsEqual(Types.list(x), Types.list(y), work);
        } else if (a instanceof Tuple x && b instanceof Tuple y) {
            return areItemsEqual(x.items(), y.items(), work);
        } else if (a instanceof Dict x && b instanceof Dict y) {
            return areEntriesEqual(x, y, work);
        } else if (a instanceof DictView x
                && b instanceof DictView y
                && !x.typeName().equals("dict_values")) {
            return areViewsEqual(x, y, work);
        } else if (a instanceof Range x && b instanceof Range y) {
            return x.hasItemsOf(y);
        }
        return a == b || (a instanceof Undefined && b instanceof Undefined);
    }

    private static boolean areItemsEqual(List<Object> a, List<Object> b, Work work) {
        if (a.size() != b.size()) {
            return false;
        }
        work.enter();
        boolean areEqual = true;
        for (int i = 0; i < a.size() && areEqual; i++) {
            areEqual = areEqual(a.get(i), b.get(i), work);
        }
        work.leave();
        return areEqual;
    }

    /** Views of keys and of items are equal as sets. */
    private static boolean areViewsEqual(DictView a, DictView b, Work work) {
        if (!a.typeName().equals(b.typeName()) || a.items().size() != b.items().size()) {
            return false;
        }
        for (Object item : a.items()) {
            if (!isIn(item, b, work)) {
                return false;
            }
        }
        return true;
    }

    private static boolean areEntriesEqual(Dict a, Dict b, Work work) {
        if (a.size() != b.size()) {
            return false;
        }
        work.enter();
        boolean areEqual = true;
        for (Iterator<Dict.Entry> entries = a.entries().iterator(); areEqual && entries.hasNext(); ) {
            Dict.Entry entry = entries.next();
            Object other = b.get(entry.key(), work);
            areEqual = other != null && areEqual(entry.value(), other, work);
        }
        work.leave();
        return areEqual;
    }

    /** Negative, 0 or positive; NaN is not 0 to anything. */
    private static int compareNumbers(Object a, Object b) {
        if (PythonNumbers.isInteger(a) && PythonNumbers.isInteger(b)) {
            return Long.compare(PythonNumbers.asLong(a), PythonNumbers.asLong(b));
        }
        double x = PythonNumbers.asDouble(a);
        double y = PythonNumbers.asDouble(b);
        if (Double.isNaN(x) || Double.isNaN(y)) {
            return Double.isNaN(x) ? 1 : -1;
        }
        boolean isMixed = !(a instanceof Double && b instanceof Double);
        if (isMixed && !Double.isInfinite(x) && !Double.isInfinite(y)) {
            return exact(a).compareTo(exact(b));
        }
        return x < y ? -1 : x > y ? 1 : 0;
    }

    private static BigDecimal exact(Object number) {
        return number instanceof Double real ? new BigDecimal(real) : BigDecimal.valueOf(PythonNumbers.asLong(number));
    }

    /** @throws Fault if the types have no order */
    static int compare(Object a, Object b, Work work) {
        work.charge(Work.ITEM);
        if (PythonNumbers.isNumber(a) && PythonNumbers.isNumber(b)) {
            return compareNumbers(a, b);
        } else if (a instanceof String x && b instanceof String y) {
            work.charge(Math.min(x.length(), y.length()));
            return compareTexts(x, y);
        } else if (a instanceof List<?> x && b instanceof List<?> y) {
            return compareItems(Types.list(x), Types.list(y), work);
        } else if (a instanceof Tuple x && b instanceof Tuple y) {
            return compareItems(x.items(), y.items(), work);
        } else if (a instanceof Undefined missing) {
            throw missing.fault();
        } else if (b instanceof Undefined missing) {
            throw missing.fault();
        }
        throw new Fault("'" + Types.name(a) + "' and '" + Types.name(b) + "' have no order");
    }

    private static int compareItems(List<Object> a, List<Object> b, Work work) {
        work.enter();
        int order = 0;
        for (int i = 0; order == 0 && i < Math.min(a.size(), b.size()); i++) {
            order = areEqual(a.get(i), b.get(i), work) ? 0 : compare(a.get(i), b.get(i), work);
        }
        work.leave();
        return order == 0 ? Integer.compare(a.size(), b.size()) : order;
    }

    /** By code points, not by UTF-16 units. */
    private static int compareTexts(String a, String b) {
        int length = Math.min(a.length(), b.length());
        for (int i = 0; i < length; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                boolean isOneSurrogate = Character.isSurrogate(x) != Character.isSurrogate(y);
                return isOneSurrogate ? (Character.isSurrogate(x) ? 1 : -1) : Character.compare(x, y);
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    /** A stable merge sort, which takes an order that contradicts itself, as NaN makes it; the JDK's sort may throw then. */
    static <T> void sort(List<T> items, Comparator<? super T> order, Work work) {
        work.chargeItems(items.size());
        if (items.size() < 2) {
            return;
        }
        int middle = items.size() / 2;
        List<T> left = new ArrayList<>(items.subList(0, middle));
        List<T> right = new ArrayList<>(items.subList(middle, items.size()));
        sort(left, order, work);
        sort(right, order, work);
        int l = 0;
        int r = 0;
        for (int i = 0; i < items.size(); i++) {
            boolean takesLeft = r == right.size() || (l < left.size() && order.compare(right.get(r), left.get(l)) >= 0);
            items.set(i, takesLeft ? left.get(l++) : right.get(r++));
        }
    }

    /** Python's {@code item in container}. */
    static boolean isIn(Object item, Object container, Work work) {
        if (container instanceof String text) {
            if (!(item instanceof String wanted)) {
                throw new Fault("'in' a string needs a string, not '" + Types.name(item) + "'");
            }
            work.chargeSearch(text, wanted);
            return text.contains(wanted);
        }
        if (container instanceof Dict dict) {
            return dict.get(item, work) != null;
        }
        for (Object candidate : Types.items(container, work)) {
            if (areEqual(candidate, item, work)) {
                return true;
            }
        }
        return false;
    }
}
