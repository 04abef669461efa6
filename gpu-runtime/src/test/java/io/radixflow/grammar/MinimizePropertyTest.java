package io.radixflow.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Random automata against a twin that tells pairs of states apart until nothing is new. */
class MinimizePropertyTest {

    private static final int LETTERS = 6;
    private static final int MAX_STATES = 14;

    @Property(tries = 2000)
    void aMinimalAutomatonHasAStateForEachLanguageThatIsLeft(@ForAll long seed) {
        Dfa dfa = random(new Random(seed));
        Dfa minimal = DfaOps.minimize(dfa, Budget.standard());
        boolean[][] differ = differ(dfa);
        List<Integer> classes = new ArrayList<>();
        for (int state : reachable(dfa)) {
            boolean isDead = !differ[state][dfa.numStates()];
            if (!isDead && classes.stream().noneMatch(other -> !differ[state][other])) {
                classes.add(state);
            }
        }
        assertThat(minimal.numStates()).isEqualTo(Math.max(1, classes.size()));
        assertThat(DfaOps.minimize(minimal, Budget.standard())).isEqualTo(minimal);
        assertThat(minimal.remainder(0, MAX_STATES)).isEqualTo(minimal);
        for (int state : minimal.isEmpty() ? Set.<Integer>of() : reachable(minimal)) {
            Dfa remainder = minimal.remainder(state, MAX_STATES);
            assertThat(remainder).isEqualTo(withStart(minimal, state));
        }
        Random random = new Random(seed);
        for (int text = 0; text < 100; text++) {
            int state = 0;
            int ofMinimal = 0;
            for (int i = 0; i < text % 12 && state != Dfa.NONE; i++) {
                int letter = random.nextInt(LETTERS);
                state = dfa.next(state, letter);
                ofMinimal = ofMinimal == Dfa.NONE ? Dfa.NONE : minimal.next(ofMinimal, letter);
            }
            assertThat(ofMinimal != Dfa.NONE && minimal.isAccepting(ofMinimal))
                    .isEqualTo(state != Dfa.NONE && dfa.isAccepting(state));
        }
    }

    /** The minimal automaton of what is accepted from a state on, made the long way: its copy as a new start, the rest behind it. */
    private static Dfa withStart(Dfa dfa, int start) {
        Dfa.Builder builder = new Dfa.Builder();
        for (int i = -1; i < dfa.numStates(); i++) {
            int state = i < 0 ? start : i;
            builder.addState(dfa.isAccepting(state));
            for (int edge = dfa.firstEdge(state); edge < dfa.endEdge(state); edge++) {
                builder.addEdge(dfa.low(edge), dfa.high(edge), dfa.target(edge) + 1);
            }
        }
        return DfaOps.minimize(builder.build(), Budget.standard());
    }

    private static Dfa random(Random random) {
        int numStates = 1 + random.nextInt(MAX_STATES);
        boolean isSparse = random.nextBoolean();
        Dfa.Builder builder = new Dfa.Builder();
        for (int state = 0; state < numStates; state++) {
            builder.addState(random.nextInt(4) == 0);
            for (int low = 0; low < LETTERS; ) {
                int high = Math.min(LETTERS - 1, low + random.nextInt(3));
                if (random.nextInt(3) > (isSparse ? 1 : 0)) {
                    builder.addEdge(low, high, random.nextInt(numStates));
                }
                low = high + 1;
            }
        }
        return builder.build();
    }

    /** Which states accept different languages; behind the last one stands the state that accepts nothing. */
    private static boolean[][] differ(Dfa dfa) {
        int n = dfa.numStates();
        boolean[][] differ = new boolean[n + 1][n + 1];
        boolean isChanged = true;
        while (isChanged) {
            isChanged = false;
            for (int a = 0; a <= n; a++) {
                for (int b = 0; b <= n; b++) {
                    boolean isApart = (a < n && dfa.isAccepting(a)) != (b < n && dfa.isAccepting(b));
                    for (int letter = 0; letter < LETTERS; letter++) {
                        isApart |= differ[next(dfa, a, letter)][next(dfa, b, letter)];
                    }
                    isChanged |= isApart && !differ[a][b];
                    differ[a][b] |= isApart;
                }
            }
        }
        return differ;
    }

    private static int next(Dfa dfa, int state, int letter) {
        int next = state == dfa.numStates() ? Dfa.NONE : dfa.next(state, letter);
        return next == Dfa.NONE ? dfa.numStates() : next;
    }

    private static Set<Integer> reachable(Dfa dfa) {
        Set<Integer> found = new HashSet<>(Set.of(0));
        List<Integer> open = new ArrayList<>(found);
        for (int i = 0; i < open.size(); i++) {
            for (int edge = dfa.firstEdge(open.get(i)); edge < dfa.endEdge(open.get(i)); edge++) {
                if (found.add(dfa.target(edge))) {
                    open.add(dfa.target(edge));
                }
            }
        }
        return found;
    }
}
