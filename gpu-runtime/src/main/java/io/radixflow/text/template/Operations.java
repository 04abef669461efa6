package io.radixflow.text.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Expressions made with operators. */
final class Operations {

    private Operations() {}

    /** {@code not x}. */
    record Not(int line, Expression operand) implements Expression {
        @Override
        public String construct() {
            return "operator 'not'";
        }

        @Override
        public Object evaluate(Context context) {
            return !context.isTrue(operand);
        }
    }

    /** {@code x and y}, {@code x or y}: yields the operand that decides. */
    record Logical(int line, boolean isAnd, Expression left, Expression right) implements Expression {
        @Override
        public String construct() {
            return isAnd ? "operator 'and'" : "operator 'or'";
        }

        @Override
        public Object evaluate(Context context) {
            Object value = context.value(left);
            return Types.isTrue(value) == isAnd ? context.value(right) : value;
        }
    }

    /** {@code x if test else y}; undefined without an else. */
    record Conditional(
            int line,
            Expression test,
            Expression then,
            @Nullable Expression otherwise) implements Expression {
        @Override
        public String construct() {
            return "inline if";
        }

        @Override
        public Object evaluate(Context context) {
            if (context.isTrue(test)) {
                return context.value(then);
            }
            return otherwise == null
                    ? new Undefined("the inline if was false and has no else")
                    : context.value(otherwise);
        }
    }

    /** {@code -x}, {@code +x}. */
    record Sign(int line, boolean isMinus, Expression operand) implements Expression {
        @Override
        public String construct() {
            return isMinus ? "operator '-'" : "operator '+'";
        }

        @Override
        public Object evaluate(Context context) {
            Object value = context.value(operand);
            if (value instanceof Undefined missing) {
                throw missing.fault();
            } else if (!PythonNumbers.isNumber(value)) {
                throw new Fault("a value of type '" + Types.name(value) + "' has no sign");
            }
            return isMinus
                    ? PythonNumbers.negate(value)
                    : value instanceof Boolean ? (Object) PythonNumbers.asLong(value) : value;
        }
    }

    /** {@code a ~ b ~ c}: the operands as text. */
    record Concatenation(int line, List<Expression> operands) implements Expression {
        @Override
        public String construct() {
            return "operator '~'";
        }

        @Override
        public Object evaluate(Context context) {
            StringBuilder text = new StringBuilder();
            for (Expression operand : operands) {
                String part = context.text(context.value(operand));
                context.work.charge(part.length());
                context.work.checkText((long) text.length() + part.length());
                text.append(part);
            }
            return text.toString();
        }
    }

    /** One step of a comparison. */
    record Comparand(String operator, Expression right) {}

    /** {@code a < b}, {@code a in b}, and chains of them. */
    record Comparison(int line, Expression first, List<Comparand> rest) implements Expression {
        @Override
        public String construct() {
            return "operator '" + rest.get(0).operator + "'";
        }

        @Override
        public Object evaluate(Context context) {
            Object left = context.value(first);
            for (Comparand comparand : rest) {
                Object right = context.value(comparand.right);
                if (!compare(comparand.operator, left, right, context.work)) {
                    return false;
                }
                left = right;
            }
            return true;
        }
    }

    static boolean compare(String operator, Object left, Object right, Work work) {
        return switch (operator) {
            case "==" -> PythonOrder.areEqual(left, right, work);
            case "!=" -> !PythonOrder.areEqual(left, right, work);
            case "in" -> PythonOrder.isIn(left, right, work);
            case "not in" -> !PythonOrder.isIn(left, right, work);
            case "<" -> !hasNan(left, right) && PythonOrder.compare(left, right, work) < 0;
            case "<=" -> !hasNan(left, right) && PythonOrder.compare(left, right, work) <= 0;
            case ">" -> !hasNan(left, right) && PythonOrder.compare(left, right, work) > 0;
            case ">=" -> !hasNan(left, right) && PythonOrder.compare(left, right, work) >= 0;
            default -> throw new Fault("unknown comparison '" + operator + "'");
        };
    }

    private static boolean hasNan(Object left, Object right) {
        return PythonNumbers.isNumber(left)
                && PythonNumbers.isNumber(right)
                && (Double.isNaN(PythonNumbers.asDouble(left)) || Double.isNaN(PythonNumbers.asDouble(right)));
    }

    /** Arithmetic, and what Python's operators do on texts and lists. */
    record Binary(int line, BinaryOperator operator, Expression left, Expression right) implements Expression {
        @Override
        public String construct() {
            return "operator '" + operator.symbol + "'";
        }

        @Override
        public Object evaluate(Context context) {
            return apply(context.value(left), context.value(right), context.work);
        }

        private Object apply(Object a, Object b, Work work) {
            if (PythonNumbers.isNumber(a) && PythonNumbers.isNumber(b)) {
                return PythonNumbers.calculate(operator, a, b);
            } else if (operator == BinaryOperator.MODULO && a instanceof String format) {
                return PercentFormat.format(format, b, work);
            } else if (a instanceof Undefined missing) {
                throw missing.fault();
            } else if (b instanceof Undefined missing) {
                throw missing.fault();
            }
            Object result = operator == BinaryOperator.ADD
                    ? join(a, b, work)
                    : operator == BinaryOperator.MULTIPLY ? repeat(a, b, work) : null;
            if (result == null) {
                throw new Fault("does not work on '" + Types.name(a) + "' and '" + Types.name(b) + "'");
            }
            return result;
        }
    }

    private static @Nullable Object join(Object a, Object b, Work work) {
        if (a instanceof String x && b instanceof String y) {
            work.chargeText((long) x.length() + y.length());
            return x.concat(y);
        } else if (a instanceof List<?> x && b instanceof List<?> y) {
            return joined(x, y, work);
        } else if (a instanceof Tuple x && b instanceof Tuple y) {
            return new Tuple(joined(x.items(), y.items(), work));
        }
        return null;
    }

    private static List<Object> joined(List<?> a, List<?> b, Work work) {
        work.chargeItems((long) a.size() + b.size());
        List<Object> joined = new ArrayList<>(a.size() + b.size());
        joined.addAll(a);
        joined.addAll(b);
        return joined;
    }

    private static @Nullable Object repeat(Object a, Object b, Work work) {
        if (PythonNumbers.isInteger(a) && !PythonNumbers.isNumber(b)) {
            return repeat(b, a, work);
        } else if (!PythonNumbers.isInteger(b)) {
            return null;
        }
        long times = Math.max(0, PythonNumbers.asLong(b));
        if (a instanceof String text) {
            work.chargeText(PythonNumbers.exact(() -> Math.multiplyExact(times, (long) text.length())));
            return text.isEmpty() ? "" : text.repeat((int) times);
        } else if (a instanceof List<?> list) {
            return repeated(list, times, work);
        } else if (a instanceof Tuple tuple) {
            return new Tuple(repeated(tuple.items(), times, work));
        }
        return null;
    }

    private static List<Object> repeated(List<?> list, long times, Work work) {
        work.chargeItems(PythonNumbers.exact(() -> Math.multiplyExact(times, (long) list.size())));
        List<Object> repeated = new ArrayList<>();
        for (long i = 0; i < times && !list.isEmpty(); i++) {
            repeated.addAll(list);
        }
        return repeated;
    }
}
