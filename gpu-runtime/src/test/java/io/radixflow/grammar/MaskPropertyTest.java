package io.radixflow.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.text.TokenBytes;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Random grammars against a twin that lists their texts. */
class MaskPropertyTest {

    private static final String[] ALPHABET = {"a", "b", "c"};
    private static final int MAX_LEN = 6;
    private static final int NUM_RULES = 4;

    /** The texts of each rule, up to a length, by going round until nothing is new. */
    private static List<Set<String>> texts(List<Expr> bodies) {
        List<Set<String>> texts = new ArrayList<>();
        bodies.forEach(body -> texts.add(new TreeSet<>()));
        boolean isChanged = true;
        while (isChanged) {
            isChanged = false;
            for (int rule = 0; rule < bodies.size(); rule++) {
                isChanged |= texts.get(rule).addAll(texts(bodies.get(rule), texts));
            }
        }
        return texts;
    }

    private static Set<String> texts(Expr expr, List<Set<String>> rules) {
        if (expr instanceof Expr.Literal literal) {
            return Set.of(new String(literal.bytes(), StandardCharsets.UTF_8));
        } else if (expr instanceof Expr.Sequence sequence) {
            Set<String> all = Set.of("");
            for (Expr part : sequence.parts()) {
                all = join(all, texts(part, rules));
            }
            return all;
        } else if (expr instanceof Expr.Choice choice) {
            Set<String> all = new TreeSet<>();
            choice.options().forEach(option -> all.addAll(texts(option, rules)));
            return all;
        } else if (expr instanceof Expr.Repeat repeat) {
            return repeated(texts(repeat.body(), rules), repeat.min(), repeat.max());
        } else if (expr instanceof Expr.Counted counted) {
            return repeated(rules.get(counted.rule()), counted.min(), counted.max());
        }
        return rules.get(((Expr.Reference) expr).rule());
    }

    private static Set<String> repeated(Set<String> body, int min, int max) {
        Set<String> all = new TreeSet<>();
        Set<String> now = Set.of("");
        for (int i = 0; i <= Math.min(max, min + MAX_LEN + 1); i++) {
            if (i >= min) {
                all.addAll(now);
            }
            now = join(now, body);
        }
        return all;
    }

    private static Set<String> join(Set<String> left, Set<String> right) {
        Set<String> all = new TreeSet<>();
        for (String a : left) {
            for (String b : right) {
                if (a.length() + b.length() <= MAX_LEN) {
                    all.add(a + b);
                }
            }
        }
        return all;
    }

    private static Expr random(Random random, int depth) {
        if (depth == 0 || random.nextInt(4) == 0) {
            return random.nextInt(3) == 0
                    ? new Expr.Reference(random.nextInt(NUM_RULES))
                    : Expr.text(ALPHABET[random.nextInt(3)]);
        }
        return switch (random.nextInt(6)) {
            case 0 -> Expr.choice(random(random, depth - 1), random(random, depth - 1));
            case 1 -> {
                int min = random.nextInt(3);
                yield new Expr.Repeat(
                        random(random, depth - 1),
                        min,
                        random.nextBoolean() ? Expr.UNBOUNDED : min + random.nextInt(3));
            }
            case 2 -> {
                int min = random.nextInt(3);
                yield new Expr.Counted(
                        random.nextInt(NUM_RULES),
                        min,
                        random.nextBoolean() ? Expr.UNBOUNDED : min + random.nextInt(4));
            }
            default -> Expr.sequence(random(random, depth - 1), random(random, depth - 1));
        };
    }

    @Property(tries = 1500)
    void masksAreTheTokensThatLeadOn(@ForAll long seed) {
        Random random = new Random(seed);
        List<Expr> bodies = new ArrayList<>();
        Rules rules = new Rules();
        for (int rule = 0; rule < NUM_RULES; rule++) {
            bodies.add(random(random, 3));
            rules.add("r" + rule, bodies.get(rule));
        }
        CompiledGrammar grammar;
        try {
            grammar = rules.compile(0, Budget.standard());
        } catch (GrammarException e) {
            boolean isEmpty = texts(bodies).get(0).isEmpty();
            assertThat(e).hasMessageContaining(isEmpty ? "" : "left recursion");
            return;
        }
        Set<String> language = texts(bodies).get(0);
        TokenBytes tokens = Vocabularies.random(random, ALPHABET, 30);
        MaskBuilder masks = new MaskBuilder(tokens, new TokenTrie(tokens), new int[] {Vocabularies.end(tokens)});
        for (int walk = 0; walk < 6; walk++) {
            StringBuilder text = new StringBuilder();
            MatchState state = masks.start(grammar);
            while (state != null && text.length() <= MAX_LEN) {
                assertThat(state.isAccepting()).as("%s ends", text).isEqualTo(language.contains(text.toString()));
                long[] mask = masks.mask(state);
                assertThat(Vocabularies.isSet(mask, Vocabularies.end(tokens))).isEqualTo(state.isAccepting());
                checkMask(masks, state, tokens, text.toString(), language);
                int token = pick(random, mask, Vocabularies.end(tokens));
                if (token < 0) {
                    break;
                }
                text.append(text(tokens, token));
                state = masks.accept(state, token);
                assertThat(state).isNotNull();
            }
        }
    }

    private static void checkMask(
            MaskBuilder masks, MatchState state, TokenBytes tokens, String text, Set<String> language) {
        long[] mask = masks.mask(state);
        for (int id = 0; id < Vocabularies.end(tokens); id++) {
            boolean isAllowed = Vocabularies.isSet(mask, id);
            assertThat(isAllowed).as("%s + %s", text, text(tokens, id)).isEqualTo(masks.accept(state, id) != null);
            String longer = text + text(tokens, id);
            boolean isPrefix = language.stream().anyMatch(whole -> whole.startsWith(longer));
            // Longer texts than the twin lists may still come of a token that it doesn't know.
            assertThat(isAllowed || !isPrefix)
                    .as("%s + %s", text, text(tokens, id))
                    .isTrue();
        }
    }

    private static String text(TokenBytes tokens, int id) {
        return new String(
                tokens.bytes(), tokens.start(id), tokens.end(id) - tokens.start(id), StandardCharsets.ISO_8859_1);
    }

    private static int pick(Random random, long[] mask, int end) {
        List<Integer> allowed = new ArrayList<>();
        for (int id = 0; id < end; id++) {
            if (Vocabularies.isSet(mask, id)) {
                allowed.add(id);
            }
        }
        return allowed.isEmpty() ? -1 : allowed.get(random.nextInt(allowed.size()));
    }
}
