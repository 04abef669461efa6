package io.radixflow.text.template;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.function.LongSupplier;

/** Python's arithmetic on 64-bit integers, where overflow faults, and on floats. */
final class PythonNumbers {

    private PythonNumbers() {}

    static boolean isNumber(Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    static boolean isInteger(Object value) {
        return value instanceof Long || value instanceof Boolean;
    }

    static long asLong(Object number) {
        return number instanceof Boolean isTrue ? (isTrue ? 1 : 0) : ((Number) number).longValue();
    }

    static double asDouble(Object number) {
        return number instanceof Boolean isTrue ? (isTrue ? 1 : 0) : ((Number) number).doubleValue();
    }

    /** Runs integer arithmetic whose overflow is the template's fault. */
    static long exact(LongSupplier arithmetic) {
        try {
            return arithmetic.getAsLong();
        } catch (ArithmeticException e) {
            throw new Fault("an integer beyond 64 bits");
        }
    }

    static Object calculate(BinaryOperator operator, Object left, Object right) {
        return isInteger(left) && isInteger(right)
                ? integers(operator, asLong(left), asLong(right))
                : (Object) floats(operator, asDouble(left), asDouble(right));
    }

    private static Object integers(BinaryOperator operator, long a, long b) {
        return switch (operator) {
            case ADD -> exact(() -> Math.addExact(a, b));
            case SUBTRACT -> exact(() -> Math.subtractExact(a, b));
            case MULTIPLY -> exact(() -> Math.multiplyExact(a, b));
            case DIVIDE -> (double) a / nonZero(b);
            case FLOOR_DIVIDE -> {
                if (a == Long.MIN_VALUE && b == -1) {
                    throw new Fault("an integer beyond 64 bits");
                }
                yield Math.floorDiv(a, nonZero(b));
            }
            case MODULO -> Math.floorMod(a, nonZero(b));
            case POWER -> b < 0 ? (Object) Math.pow((double) nonZero(a), (double) b) : (Object) power(a, b);
        };
    }

    private static double floats(BinaryOperator operator, double a, double b) {
        return switch (operator) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / nonZero(b);
            case FLOOR_DIVIDE -> (a - modulo(a, nonZero(b))) / b;
            case MODULO -> modulo(a, nonZero(b));
            case POWER -> floatPower(a, b);
        };
    }

    private static double floatPower(double a, double b) {
        if (a == 0 && b < 0) {
            throw new Fault("division by zero");
        }
        double power = Math.pow(a, b);
        if (Double.isInfinite(power) && !Double.isInfinite(a) && !Double.isInfinite(b)) {
            throw new Fault("a float beyond 64 bits");
        }
        if (Double.isNaN(power) && !Double.isNaN(a) && !Double.isNaN(b)) {
            throw new Fault("complex numbers are not supported");
        }
        return power;
    }

    /** The remainder with the sign of the divisor. */
    private static double modulo(double a, double b) {
        double remainder = a % b;
        if (remainder == 0) {
            return Math.copySign(0, b);
        }
        return remainder < 0 != b < 0 ? remainder + b : remainder;
    }

    private static long nonZero(long divisor) {
        if (divisor == 0) {
            throw new Fault("division by zero");
        }
        return divisor;
    }

    private static double nonZero(double divisor) {
        if (divisor == 0) {
            throw new Fault("division by zero");
        }
        return divisor;
    }

    private static long power(long base, long exponent) {
        long result = 1;
        long square = base;
        for (long left = exponent; left > 0; left >>= 1) {
            if ((left & 1) == 1) {
                long factor = square;
                long product = result;
                result = exact(() -> Math.multiplyExact(product, factor));
            }
            if (left > 1) {
                long factor = square;
                square = exact(() -> Math.multiplyExact(factor, factor));
            }
        }
        return result;
    }

    static Object negate(Object value) {
        if (value instanceof Double number) {
            return -number;
        }
        return exact(() -> Math.negateExact(asLong(value)));
    }

    /** Python's repr() of a float: the shortest digits that read back as the same number. */
    static String repr(double number) {
        if (Double.isNaN(number)) {
            return "nan";
        } else if (Double.isInfinite(number)) {
            return number > 0 ? "inf" : "-inf";
        } else if (number == 0) {
            return 1 / number < 0 ? "-0.0" : "0.0";
        }
        BigDecimal shortest = shortest(number).stripTrailingZeros();
        int exponent = shortest.precision() - shortest.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            return shortest.scale() > 0
                    ? shortest.toPlainString()
                    : shortest.setScale(1, RoundingMode.UNNECESSARY).toPlainString();
        }
        String digits = shortest.unscaledValue().abs().toString();
        String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
        String sign = exponent < 0 ? "-" : "+";
        String power = Math.abs(exponent) < 10 ? "0" + Math.abs(exponent) : "" + Math.abs(exponent);
        return (number < 0 ? "-" : "") + digits.charAt(0) + fraction + "e" + sign + power;
    }

    private static BigDecimal shortest(double number) {
        BigDecimal exact = new BigDecimal(number);
        for (int digits = 1; digits < 17; digits++) {
            BigDecimal rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            if (rounded.doubleValue() == number) {
                return rounded;
            }
        }
        return exact.round(new MathContext(17, RoundingMode.HALF_EVEN));
    }

    /** Python's round(): half to even on the exact value. */
    static double round(double number, int digits) {
        if (Double.isNaN(number) || Double.isInfinite(number) || digits > 400) {
            return number;
        }
        return new BigDecimal(number)
                .setScale(Math.max(digits, -400), RoundingMode.HALF_EVEN)
                .doubleValue();
    }
}
