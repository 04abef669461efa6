package io.radixflow.text.template;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Tests by name: what follows {@code is} in a template. */
final class Tests {

    /** Whether something holds for a value. */
    interface Test {
        boolean test(Context context, Object value, Arguments arguments);
    }

    private static final Map<String, Test> BY_NAME = byName();

    private Tests() {}

    private static Map<String, Test> byName() {
        Map<String, Test> tests = new HashMap<>();
        tests.put("defined", plain(value -> !(value instanceof Undefined)));
        tests.put("undefined", plain(value -> value instanceof Undefined));
        tests.put("none", plain(value -> value == None.NONE));
        tests.put("string", plain(value -> value instanceof String));
        tests.put("mapping", plain(value -> value instanceof Dict));
        tests.put("iterable", plain(Types::isIterable));
        tests.put("sequence", plain(Tests::isSequence));
        tests.put("number", plain(PythonNumbers::isNumber));
        tests.put("integer", plain(value -> value instanceof Long));
        tests.put("float", plain(value -> value instanceof Double));
        tests.put("boolean", plain(value -> value instanceof Boolean));
        tests.put("true", plain(Boolean.TRUE::equals));
        tests.put("false", plain(Boolean.FALSE::equals));
        tests.put("callable", plain(value -> value instanceof Callable));
        tests.put("odd", plain(value -> remainder(value, 2L) == 1));
        tests.put("even", plain(value -> remainder(value, 2L) == 0));
        tests.put("escaped", plain(value -> false));
        tests.put("filter", plain(value -> value instanceof String name && Filters.has(name)));
        tests.put("test", plain(value -> value instanceof String name && has(name)));
        tests.put("lower", (context, value, arguments) -> isCased(context, value, false));
        tests.put("upper", (context, value, arguments) -> isCased(context, value, true));
        tests.put(
                "divisibleby",
                (context, value, arguments) ->
                        remainder(value, arguments.check("num").get(0, "num")) == 0);
        tests.put(
                "sameas",
                (context, value, arguments) ->
                        isSame(value, arguments.check("other").get(0, "other"), context.work));
        tests.put("in", comparison("in"));
        addComparison(tests, "==", "eq", "equalto");
        addComparison(tests, "!=", "ne");
        addComparison(tests, "<", "lt", "lessthan");
        addComparison(tests, "<=", "le");
        addComparison(tests, ">", "gt", "greaterthan");
        addComparison(tests, ">=", "ge");
        return Map.copyOf(tests);
    }

    private static boolean has(String name) {
        return BY_NAME.containsKey(name);
    }

    private static Test plain(Predicate<Object> predicate) {
        return (context, value, arguments) -> {
            arguments.check();
            return predicate.test(value);
        };
    }

    private static void addComparison(Map<String, Test> tests, String operator, String... names) {
        tests.put(operator, comparison(operator));
        for (String name : names) {
            tests.put(name, comparison(operator));
        }
    }

    private static Test comparison(String operator) {
        return (context, value, arguments) ->
                Operations.compare(operator, value, arguments.check("other").get(0, "other"), context.work);
    }

    static Test find(String name) {
        Test test = BY_NAME.get(name);
        if (test == null) {
            throw new Fault("unknown test '" + name + "'");
        }
        return test;
    }

    private static boolean isSequence(Object value) {
        return value instanceof String
                || value instanceof List
                || value instanceof Tuple
                || value instanceof Dict
                || value instanceof Range
                || value instanceof Undefined;
    }

    private static double remainder(Object value, Object divisor) {
        if (value instanceof Undefined missing) {
            throw missing.fault();
        } else if (!PythonNumbers.isNumber(value) || !PythonNumbers.isNumber(divisor)) {
            throw new Fault("needs a number, not '" + Types.name(value) + "'");
        }
        return PythonNumbers.asDouble(PythonNumbers.calculate(BinaryOperator.MODULO, value, divisor));
    }

    private static boolean isSame(Object a, Object b, Work work) {
        if (a instanceof String text) {
            work.charge(text.length());
        }
        boolean isScalar = a instanceof Boolean || a instanceof Long || a instanceof String || a instanceof Double;
        return isScalar ? a.equals(b) : a == b;
    }

    /** Whether there are cased letters, all of that case. */
    private static boolean isCased(Context context, Object value, boolean isUpper) {
        String text = context.text(value);
        context.work.charge(text.length());
        boolean hasCased =
                text.codePoints().anyMatch(c -> isUpper ? Character.isUpperCase(c) : Character.isLowerCase(c));
        return hasCased
                && text.codePoints()
                        .noneMatch(c -> Character.isTitleCase(c)
                                || (isUpper ? Character.isLowerCase(c) : Character.isUpperCase(c)));
    }
}
