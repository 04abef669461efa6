package io.radixflow.grammar;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Sets of numbers as automata over their numerals, decimal fractions without exponents. A set holds all numerals of a number or none, so that
 * sets combine as the numbers do: {@code 1}, {@code 1.0} and {@code 1.00} are one number, and so are {@code 0} and {@code -0}.
 */
final class NumberLanguages {

    private static final String NUMERALS = "-?(0|[1-9][0-9]*)(\\.[0-9]+)?";
    private static final String INTEGERS = "-?(0|[1-9][0-9]*)(\\.0+)?";
    private static final String PLAIN_INTEGERS = "0|-?[1-9][0-9]*";
    private static final String ALPHABET = "-.0123456789";
    private static final int MAX_REMAINDERS = 20_000;

    private final Budget budget;
    private final Map<String, Dfa> known = new HashMap<>();

    NumberLanguages(Budget budget) {
        this.budget = budget;
    }

    private Dfa regex(String regex) {
        return known.computeIfAbsent(regex, r -> RegexCompiler.wholeText(r, budget));
    }

    Dfa integers(boolean isHeld) {
        return isHeld ? regex(INTEGERS) : complement(regex(INTEGERS));
    }

    Dfa complement(Dfa numbers) {
        return DfaOps.minus(regex(NUMERALS), numbers, budget);
    }

    /** Integers without fraction if the set holds nothing else; otherwise all numerals. */
    Dfa preferred(Dfa numbers) {
        boolean isIntegral = DfaOps.minus(numbers, regex(INTEGERS), budget).isEmpty();
        return isIntegral ? DfaOps.intersect(numbers, regex(PLAIN_INTEGERS), budget) : numbers;
    }

    /** How a numeral compares with a bound. */
    private enum Relation {
        LESS,
        EQUAL,
        GREATER;

        Relation opposite() {
            return this == LESS ? GREATER : this == GREATER ? LESS : EQUAL;
        }

        static Relation of(int compared) {
            return compared < 0 ? LESS : compared > 0 ? GREATER : EQUAL;
        }
    }

    Dfa below(BigDecimal bound, boolean isInclusive) {
        return compared(bound, r -> r == Relation.LESS || (isInclusive && r == Relation.EQUAL));
    }

    Dfa above(BigDecimal bound, boolean isInclusive) {
        return compared(bound, r -> r == Relation.GREATER || (isInclusive && r == Relation.EQUAL));
    }

    Dfa equalTo(BigDecimal value) {
        return compared(value, r -> r == Relation.EQUAL);
    }

    private Dfa compared(BigDecimal bound, Predicate<Relation> isWanted) {
        Comparison comparison = new Comparison(bound);
        return explore(
                new Place(false, Phase.START, 0, Relation.EQUAL),
                comparison::next,
                place -> place.phase().isEnd() && isWanted.test(comparison.relation(place)));
    }

    /** Where in a numeral. */
    private enum Phase {
        START,
        SIGN,
        ZERO,
        INTEGER,
        POINT,
        FRACTION;

        boolean isEnd() {
            return this == ZERO || this == INTEGER || this == FRACTION;
        }

        /** The phase after a character, or null if it can't follow. */
        @Nullable
        Phase after(int c) {
            return switch (this) {
                case START, SIGN ->
                    c == '-' ? (this == START ? SIGN : null) : c == '0' ? ZERO : c == '.' ? null : INTEGER;
                case ZERO -> c == '.' ? POINT : null;
                case INTEGER -> c == '.' ? POINT : c == '-' ? null : INTEGER;
                case POINT, FRACTION -> c == '.' || c == '-' ? null : FRACTION;
            };
        }
    }

    /** @param count digits read of the integer part, or of the fraction, as far as that matters */
    private record Place(boolean isNegative, Phase phase, int count, Relation relation) {}

    /** Compares digit by digit with a bound's magnitude. */
    private static final class Comparison {

        private final int sign;
        private final String integer;
        private final String fraction;

        Comparison(BigDecimal bound) {
            sign = bound.signum();
            String[] parts = bound.abs().stripTrailingZeros().toPlainString().split("\\.", -1);
            integer = parts[0];
            fraction = parts.length == 1 ? "" : parts[1];
        }

        @Nullable
        Place next(Place place, int c) {
            Phase phase = place.phase().after(c);
            if (phase == null) {
                return null;
            }
            return switch (phase) {
                case START, SIGN -> new Place(true, phase, 0, Relation.EQUAL);
                case ZERO, INTEGER -> {
                    int count = Math.min(place.count() + 1, integer.length() + 1);
                    Relation relation = place.relation();
                    if (relation == Relation.EQUAL && count <= integer.length()) {
                        relation = Relation.of(c - integer.charAt(count - 1));
                    }
                    yield new Place(place.isNegative(), phase, count, relation);
                }
                case POINT -> new Place(place.isNegative(), phase, 0, ofInteger(place));
                case FRACTION -> {
                    int digit = place.count() < fraction.length() ? fraction.charAt(place.count()) : '0';
                    Relation relation = place.relation() == Relation.EQUAL ? Relation.of(c - digit) : place.relation();
                    int count = relation == Relation.EQUAL ? Math.min(place.count() + 1, fraction.length()) : 0;
                    yield new Place(place.isNegative(), phase, count, relation);
                }
            };
        }

        private Relation ofInteger(Place place) {
            int longer = Integer.compare(place.count(), integer.length());
            return longer == 0 ? place.relation() : Relation.of(longer);
        }

        Relation relation(Place place) {
            Relation magnitude = place.phase() == Phase.FRACTION ? place.relation() : ofInteger(place);
            boolean isShort = place.phase() != Phase.FRACTION || place.count() < fraction.length();
            if (magnitude == Relation.EQUAL && isShort && !fraction.isEmpty()) {
                magnitude = Relation.LESS;
            }
            if (sign == 0) {
                return place.isNegative() ? magnitude.opposite() : magnitude;
            } else if (place.isNegative() != (sign < 0)) {
                return place.isNegative() ? Relation.LESS : Relation.GREATER;
            }
            return place.isNegative() ? magnitude.opposite() : magnitude;
        }
    }

    /** Whole multiples of a positive number; null if that takes too many states. */
    @Nullable
    Dfa multiplesOf(BigDecimal divisor) {
        BigDecimal stripped = divisor.stripTrailingZeros();
        int scale = Math.max(0, stripped.scale());
        BigInteger unscaled = stripped.movePointRight(scale).toBigIntegerExact();
        if (unscaled.bitLength() > 30 || (long) unscaled.intValue() * (scale + 2) > MAX_REMAINDERS) {
            return null;
        }
        int modulus = unscaled.intValue();
        return explore(
                new Remainder(Phase.START, 0, 0),
                (place, c) -> {
                    Phase phase = place.phase().after(c);
                    if (phase == null || c == '-' || c == '.') {
                        return phase == null ? null : new Remainder(phase, 0, place.remainder());
                    } else if (phase == Phase.FRACTION && place.decimals() == scale) {
                        return c == '0' ? new Remainder(phase, scale, place.remainder()) : null;
                    }
                    int decimals = phase == Phase.FRACTION ? place.decimals() + 1 : 0;
                    return new Remainder(phase, decimals, (place.remainder() * 10 + c - '0') % modulus);
                },
                place -> {
                    int remainder = place.remainder();
                    for (int i = place.decimals(); i < scale; i++) {
                        remainder = remainder * 10 % modulus;
                    }
                    return place.phase().isEnd() && remainder == 0;
                });
    }

    /** @param decimals digits of the fraction that were read */
    private record Remainder(Phase phase, int decimals, int remainder) {}

    /** Goes from a place to the next by a character. */
    private interface Step<P> {
        @Nullable
        P next(P place, int c);
    }

    /** An automaton of all places that can be reached. */
    private <P> Dfa explore(P start, Step<P> step, Predicate<P> isAccepting) {
        Map<P, Integer> numberOf = new HashMap<>();
        ArrayDeque<P> open = new ArrayDeque<>();
        Dfa.Builder builder = new Dfa.Builder();
        numberOf.put(start, 0);
        open.add(start);
        for (P place = open.poll(); place != null; place = open.poll()) {
            builder.addState(isAccepting.test(place));
            budget.spend(ALPHABET.length());
            for (int i = 0; i < ALPHABET.length(); i++) {
                P next = step.next(place, ALPHABET.charAt(i));
                if (next == null) {
                    continue;
                }
                Integer fresh = numberOf.size();
                Integer old = numberOf.putIfAbsent(next, fresh);
                if (old == null) {
                    open.add(next);
                }
                builder.addEdge(ALPHABET.charAt(i), ALPHABET.charAt(i), old == null ? fresh : old);
            }
        }
        return DfaOps.minimize(builder.build(), budget);
    }
}
