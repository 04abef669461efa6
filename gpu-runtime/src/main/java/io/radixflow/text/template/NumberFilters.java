package io.radixflow.text.template;

import io.radixflow.text.template.Filters.Filter;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Filters that yield numbers. */
final class NumberFilters {

    private NumberFilters() {}

    static void addTo(Map<String, Filter> filters) {
        filters.put("int", NumberFilters::toInteger);
        filters.put("float", NumberFilters::toFloat);
        filters.put("abs", NumberFilters::absolute);
        filters.put("round", NumberFilters::round);
        filters.put("sum", NumberFilters::sum);
        filters.put("length", NumberFilters::length);
        filters.put("count", NumberFilters::length);
    }

    private static Object length(Context context, Object value, Arguments arguments) {
        arguments.check();
        context.work.charge(value instanceof String text ? text.length() : 0);
        return (long) Types.size(value);
    }

    private static Object toInteger(Context context, Object value, Arguments arguments) {
        arguments.check("default", "base");
        Object absent = arguments.get(0, "default", 0L);
        int base = arguments.integer(1, "base", 10);
        if (base != 0 && (base < 2 || base > 36)) {
            throw new Fault("'base' must be from 2 to 36");
        } else if (value instanceof Undefined missing) {
            throw missing.fault();
        } else if (PythonNumbers.isInteger(value)) {
            return PythonNumbers.asLong(value);
        } else if (value instanceof Double number) {
            return truncate(number, absent);
        } else if (value instanceof String text) {
            context.work.charge(text.length());
            Long integer = parseInteger(CodePoints.strip(text, null, true, true), base);
            if (integer != null) {
                return integer;
            }
            Double number = parseFloat(text);
            return number == null ? absent : truncate(number, absent);
        }
        return absent;
    }

    private static Object truncate(double number, Object absent) {
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            return absent;
        } else if (Math.abs(number) >= 0x1p63) {
            throw new Fault("an integer beyond 64 bits");
        }
        return (long) number;
    }

    private static @Nullable Long parseInteger(String text, int base) {
        if (text.length() > 100 || !text.matches("[-+]?[0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*")) {
            return null;
        }
        boolean isNegative = text.startsWith("-");
        String digits = text.replaceAll("^[-+]", "").replace("_", "").toLowerCase(Locale.ROOT);
        String prefix = base == 16 ? "0x" : base == 8 ? "0o" : base == 2 ? "0b" : "";
        String bare = !prefix.isEmpty() && digits.startsWith(prefix) ? digits.substring(2) : digits;
        if (base == 0) {
            throw new Fault("'base' 0 is not supported");
        } else if (bare.isEmpty() || bare.chars().anyMatch(c -> Character.digit(c, base) < 0)) {
            return null;
        }
        try {
            return Long.valueOf(isNegative ? "-" + bare : bare, base);
        } catch (NumberFormatException e) {
            throw new Fault("an integer beyond 64 bits");
        }
    }

    private static Object toFloat(Context context, Object value, Arguments arguments) {
        Object absent = arguments.check("default").get(0, "default", 0.0);
        if (value instanceof Undefined missing) {
            throw missing.fault();
        } else if (PythonNumbers.isNumber(value)) {
            return PythonNumbers.asDouble(value);
        } else if (value instanceof String text) {
            context.work.charge(text.length());
            Double number = parseFloat(text);
            return number == null ? absent : number;
        }
        return absent;
    }

    /** Python's float() of a string; null if it is none. */
    private static @Nullable Double parseFloat(String text) {
        String stripped = CodePoints.strip(text, null, true, true);
        if (stripped.length() > 400) {
            return null;
        }
        String number = stripped.toLowerCase(Locale.ROOT);
        if (number.matches("[-+]?(inf|infinity|nan)")) {
            double value = number.endsWith("nan") ? Double.NaN : Double.POSITIVE_INFINITY;
            return number.startsWith("-") ? -value : value;
        } else if (!number.matches("[-+]?(\\d+(_\\d+)*\\.?(\\d+(_\\d+)*)?|\\.\\d+(_\\d+)*)(e[-+]?\\d+(_\\d+)*)?")) {
            return null;
        }
        return Double.valueOf(number.replace("_", ""));
    }

    private static Object absolute(Context context, Object value, Arguments arguments) {
        arguments.check();
        requireNumber(value);
        boolean isNegative =
                value instanceof Double number ? number < 0 || 1 / number < 0 : PythonNumbers.asLong(value) < 0;
        return isNegative
                ? PythonNumbers.negate(value)
                : value instanceof Boolean ? (Object) PythonNumbers.asLong(value) : value;
    }

    private static Object round(Context context, Object value, Arguments arguments) {
        arguments.check("precision", "method");
        int digits = arguments.integer(0, "precision", 0);
        String method = Types.text(arguments.get(1, "method", "common"), "method");
        requireNumber(value);
        if (method.equals("common")) {
            if (value instanceof Double number) {
                return PythonNumbers.round(number, digits);
            } else if (digits >= 0) {
                return PythonNumbers.asLong(value);
            }
            throw new Fault("rounding an integer to tens is not supported");
        }
        double scale = Math.pow(10, digits);
        double scaled = PythonNumbers.asDouble(value) * scale;
        return switch (method) {
            case "ceil" -> (Math.ceil(scaled) + 0.0) / scale;
            case "floor" -> (Math.floor(scaled) + 0.0) / scale;
            default -> throw new Fault("'method' must be common, ceil or floor");
        };
    }

    private static Object sum(Context context, Object value, Arguments arguments) {
        arguments.check("attribute", "start");
        ItemPath path = ItemPath.of(arguments.get(0, "attribute", None.NONE));
        Object sum = arguments.get(1, "start", 0L);
        for (Object item : Types.items(value, context.work)) {
            Object addend = path.get(item, context.work);
            requireNumber(addend);
            requireNumber(sum);
            sum = PythonNumbers.calculate(BinaryOperator.ADD, sum, addend);
        }
        return sum;
    }

    private static void requireNumber(Object value) {
        if (value instanceof Undefined missing) {
            throw missing.fault();
        } else if (!PythonNumbers.isNumber(value)) {
            throw new Fault("needs a number, not '" + Types.name(value) + "'");
        }
    }
}
