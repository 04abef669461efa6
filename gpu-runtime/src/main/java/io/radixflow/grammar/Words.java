package io.radixflow.grammar;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;

/** Automata of listed words. */
final class Words {

    private Words() {}

    /** Sorted words {@code [from, to)} that agree in their first {@code depth} letters. */
    private record Node(int from, int to, int depth) {}

    /** Exactly these words, each an array of letters. */
    static Dfa of(Collection<int[]> words, Budget budget) {
        int[][] sorted = words.toArray(int[][]::new);
        Arrays.sort(sorted, Arrays::compare);
        Dfa.Builder builder = new Dfa.Builder();
        ArrayDeque<Node> open = new ArrayDeque<>();
        open.add(new Node(0, sorted.length, 0));
        int found = 1;
        for (Node node = open.poll(); node != null; node = open.poll()) {
            int next = node.from();
            while (next < node.to() && sorted[next].length == node.depth()) {
                next++;
            }
            builder.addState(next > node.from());
            budget.spend(1);
            budget.checkStates(found);
            while (next < node.to()) {
                int first = next;
                int letter = sorted[first][node.depth()];
                while (next < node.to() && sorted[next][node.depth()] == letter) {
                    next++;
                }
                builder.addEdge(letter, letter, found++);
                open.add(new Node(first, next, node.depth() + 1));
            }
        }
        return DfaOps.minimize(builder.build(), budget);
    }

    static int[] codePoints(String text) {
        return text.codePoints().toArray();
    }

    static int[] letters(byte[] bytes) {
        int[] letters = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            letters[i] = bytes[i] & 0xFF;
        }
        return letters;
    }
}
