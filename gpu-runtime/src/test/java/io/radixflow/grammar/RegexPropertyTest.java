package io.radixflow.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.regex.Pattern;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class RegexPropertyTest {

    private static final String[] ATOMS = {"a", "b", "é", "😀", ".", "[ab]", "[^a]", "\\w", "\\W", "[é-😀]", "\\d"};
    private static final String[] LETTERS = {"a", "b", "é", "😀", "1", "\n"};

    @Property(tries = 400)
    void agreesWithJavaOnWholeTexts(@ForAll long seed) {
        Random random = new Random(seed);
        String regex = random(random, 3);
        Pattern pattern = Pattern.compile(regex, Pattern.UNIX_LINES);
        Dfa dfa = RegexCompiler.wholeText(regex, Budget.standard());
        for (int i = 0; i < 60; i++) {
            String text = text(random);
            assertThat(dfa.accepts(text))
                    .as("%s on %s", regex, text)
                    .isEqualTo(pattern.matcher(text).matches());
        }
    }

    @Property(tries = 400)
    void agreesWithJavaOnMatchesAnywhere(@ForAll long seed) {
        Random random = new Random(seed);
        String regex = (random.nextBoolean() ? "^" : "") + random(random, 2) + (random.nextBoolean() ? "\\z" : "");
        Pattern pattern = Pattern.compile(regex, Pattern.UNIX_LINES);
        String ours = regex.replace("\\z", "$").replace(".", "[^\\n]");
        Dfa dfa = RegexCompiler.anywhere(ours, Budget.standard());
        for (int i = 0; i < 60; i++) {
            String text = text(random);
            assertThat(dfa.accepts(text))
                    .as("%s on %s", regex, text)
                    .isEqualTo(pattern.matcher(text).find());
        }
    }

    @Property(tries = 300)
    void setsOfTextsCombineLikeTheirAnswers(@ForAll long seed) {
        Random random = new Random(seed);
        Budget budget = Budget.standard();
        Dfa left = RegexCompiler.wholeText(random(random, 2), budget);
        Dfa right = RegexCompiler.wholeText(random(random, 2), budget);
        Dfa both = DfaOps.intersect(left, right, budget);
        Dfa either = DfaOps.union(left, right, budget);
        Dfa onlyLeft = DfaOps.minus(left, right, budget);
        for (int i = 0; i < 40; i++) {
            String text = text(random);
            boolean inLeft = left.accepts(text);
            boolean inRight = right.accepts(text);
            assertThat(both.accepts(text)).isEqualTo(inLeft && inRight);
            assertThat(either.accepts(text)).isEqualTo(inLeft || inRight);
            assertThat(onlyLeft.accepts(text)).isEqualTo(inLeft && !inRight);
        }
        assertThat(DfaOps.union(both, onlyLeft, budget)).isEqualTo(DfaOps.minimize(left, budget));
    }

    private static String random(Random random, int depth) {
        if (depth == 0 || random.nextInt(4) == 0) {
            return ATOMS[random.nextInt(ATOMS.length)];
        }
        return switch (random.nextInt(5)) {
            case 0 -> "(?:" + random(random, depth - 1) + "|" + random(random, depth - 1) + ")";
            case 1 -> "(?:" + random(random, depth - 1) + ")" + quantifier(random);
            default -> random(random, depth - 1) + random(random, depth - 1);
        };
    }

    private static String quantifier(Random random) {
        int min = random.nextInt(3);
        return switch (random.nextInt(6)) {
            case 0 -> "*";
            case 1 -> "+";
            case 2 -> "?";
            case 3 -> "{" + min + "}";
            case 4 -> "{" + min + ",}";
            default -> "{" + min + "," + (min + random.nextInt(3)) + "}?";
        };
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        int len = random.nextInt(6);
        for (int i = 0; i < len; i++) {
            text.append(LETTERS[random.nextInt(LETTERS.length)]);
        }
        return text.toString();
    }
}
