package io.radixflow.text.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/**
 * How one value of a format string is written.
 *
 * @param align one of {@code < > ^}, or 0 for the type's own
 * @param sign {@code +}, a blank, or 0
 * @param precision -1 if absent
 * @param type the conversion, or 0 for the value's own
 */
record FormatSpec(char fill, char align, char sign, int width, int precision, boolean hasCommas, char type) {

    private static final int MAX_WIDTH = 10_000;

    FormatSpec {
        if (width > MAX_WIDTH || precision > MAX_WIDTH) {
            throw new Fault("width or precision beyond the limit of " + MAX_WIDTH);
        }
    }

    /** A value as text, cut to the precision. */
    String text(String text) {
        int length = CodePoints.length(text);
        String cut =
                precision >= 0 && precision < length ? text.substring(0, text.offsetByCodePoints(0, precision)) : text;
        return padded("", cut, align == 0 ? '<' : align);
    }

    /** A number in the conversion of this type: d, x, X, o, e, E, f, F or %. */
    String number(Object value) {
        boolean isFloat = "eEfF%".indexOf(type) >= 0;
        if (!PythonNumbers.isNumber(value) || (!isFloat && value instanceof Double)) {
            throw new Fault("a value of type '" + Types.name(value) + "' can't be formatted as '" + type + "'");
        }
        String digits = isFloat ? real(PythonNumbers.asDouble(value)) : integer(PythonNumbers.asLong(value));
        boolean isNegative = digits.startsWith("-");
        String prefix = isNegative ? "-" : sign == 0 ? "" : String.valueOf(sign);
        return padded(prefix, isNegative ? digits.substring(1) : digits, align == 0 ? '>' : align);
    }

    private String integer(long number) {
        if (precision >= 0) {
            throw new Fault("a precision for integers is not supported");
        }
        String text = switch (type) {
            case 'd' -> hasCommas ? String.format(Locale.ROOT, "%,d", number) : Long.toString(number);
            case 'x' -> Long.toString(number, 16);
            case 'X' -> Long.toString(number, 16).toUpperCase(Locale.ROOT);
            case 'o' -> Long.toString(number, 8);
            default -> throw new Fault("the format type '" + type + "' is not supported");
        };
        return text;
    }

    private String real(double number) {
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            return PythonNumbers.repr(number);
        }
        int digits = precision < 0 ? 6 : precision;
        if (type == 'e' || type == 'E') {
            String text = String.format(Locale.ROOT, "%." + digits + "e", new BigDecimal(number));
            return type == 'E' ? text.toUpperCase(Locale.ROOT) : text;
        }
        BigDecimal exact = new BigDecimal(type == '%' ? number * 100 : number);
        BigDecimal rounded = exact.setScale(digits, RoundingMode.HALF_EVEN);
        String text = hasCommas ? String.format(Locale.ROOT, "%,." + digits + "f", rounded) : rounded.toPlainString();
        boolean losesSign = (number < 0 || 1 / number < 0) && !text.startsWith("-");
        return (losesSign ? "-" : "") + text + (type == '%' ? "%" : "");
    }

    private String padded(String prefix, String body, char side) {
        int blanks = Math.max(0, width - prefix.length() - CodePoints.length(body));
        String filler = Character.toString(fill);
        if (side == '=') {
            return prefix + filler.repeat(blanks) + body;
        }
        int left = side == '<' ? 0 : side == '>' ? blanks : blanks / 2;
        return filler.repeat(left) + prefix + body + filler.repeat(blanks - left);
    }
}
