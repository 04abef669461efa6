package io.radixflow.grammar;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Set operations on the languages of automata, and their minimal form. All are bounded by the compilation's budget. */
final class DfaOps {

    private DfaOps() {}

    /** What of a pair of states makes the product accept, and whether a missing partner kills the pair. */
    private enum Operation {
        AND,
        OR,
        MINUS;

        boolean isDead(int left, int right) {
            return switch (this) {
                case AND -> left == Dfa.NONE || right == Dfa.NONE;
                case OR -> left == Dfa.NONE && right == Dfa.NONE;
                case MINUS -> left == Dfa.NONE;
            };
        }

        boolean accepts(boolean left, boolean right) {
            return switch (this) {
                case AND -> left && right;
                case OR -> left || right;
                case MINUS -> left && !right;
            };
        }
    }

    static Dfa intersect(Dfa left, Dfa right, Budget budget) {
        return new Product(left, right, Operation.AND, budget).run();
    }

    static Dfa union(Dfa left, Dfa right, Budget budget) {
        return new Product(left, right, Operation.OR, budget).run();
    }

    static Dfa minus(Dfa left, Dfa right, Budget budget) {
        return new Product(left, right, Operation.MINUS, budget).run();
    }

    /** Numbers pairs of states as they are found. */
    private static final class Product {

        private final Dfa left;
        private final Dfa right;
        private final Operation operation;
        private final Budget budget;
        private final Map<Long, Integer> numberOf = new HashMap<>();
        private final ArrayDeque<Long> open = new ArrayDeque<>();
        private final Dfa.Builder builder = new Dfa.Builder();

        Product(Dfa left, Dfa right, Operation operation, Budget budget) {
            this.left = left;
            this.right = right;
            this.operation = operation;
            this.budget = budget;
        }

        Dfa run() {
            number(0, 0);
            for (Long pair = open.poll(); pair != null; pair = open.poll()) {
                addState((int) (pair >> 32), pair.intValue());
                budget.checkStates(numberOf.size());
            }
            return minimize(builder.build(), budget);
        }

        private int number(int a, int b) {
            long pair = ((long) a << 32) | (b & 0xFFFFFFFFL);
            Integer known = numberOf.get(pair);
            if (known != null) {
                return known;
            }
            int number = numberOf.size();
            numberOf.put(pair, number);
            open.add(pair);
            return number;
        }

        private void addState(int a, int b) {
            builder.addState(
                    operation.accepts(a != Dfa.NONE && left.isAccepting(a), b != Dfa.NONE && right.isAccepting(b)));
            int leftEdge = a == Dfa.NONE ? 0 : left.firstEdge(a);
            int leftEnd = a == Dfa.NONE ? 0 : left.endEdge(a);
            int rightEdge = b == Dfa.NONE ? 0 : right.firstEdge(b);
            int rightEnd = b == Dfa.NONE ? 0 : right.endEdge(b);
            budget.spend(1 + leftEnd - leftEdge + rightEnd - rightEdge);
            int from = 0;
            while (leftEdge < leftEnd || rightEdge < rightEnd) {
                int leftLow = leftEdge < leftEnd ? Math.max(from, left.low(leftEdge)) : Integer.MAX_VALUE;
                int rightLow = rightEdge < rightEnd ? Math.max(from, right.low(rightEdge)) : Integer.MAX_VALUE;
                from = Math.min(leftLow, rightLow);
                boolean inLeft = leftLow == from;
                boolean inRight = rightLow == from;
                int to = Math.min(
                        inLeft ? left.high(leftEdge) : leftLow - 1, inRight ? right.high(rightEdge) : rightLow - 1);
                int nextA = inLeft ? left.target(leftEdge) : Dfa.NONE;
                int nextB = inRight ? right.target(rightEdge) : Dfa.NONE;
                if (!operation.isDead(nextA, nextB)) {
                    builder.addEdge(from, to, number(nextA, nextB));
                }
                if (inLeft && to == left.high(leftEdge)) {
                    leftEdge++;
                }
                if (inRight && to == right.high(rightEdge)) {
                    rightEdge++;
                }
                from = to + 1;
            }
        }
    }

    /** Only states that lead to acceptance, equivalent ones merged, numbered breadth first. */
    static Dfa minimize(Dfa dfa, Budget budget) {
        budget.spend(dfa.numStates() + dfa.numEdges());
        int n = dfa.numStates();
        int[] sourceFrom = new int[n + 1];
        for (int edge = 0; edge < dfa.numEdges(); edge++) {
            sourceFrom[dfa.target(edge) + 1]++;
        }
        for (int state = 0; state < n; state++) {
            sourceFrom[state + 1] += sourceFrom[state];
        }
        int[] source = new int[dfa.numEdges()];
        int[] fill = Arrays.copyOf(sourceFrom, n);
        for (int state = 0; state < n; state++) {
            for (int edge = dfa.firstEdge(state); edge < dfa.endEdge(state); edge++) {
                source[fill[dfa.target(edge)]++] = state;
            }
        }
        boolean[] isLive = liveStates(dfa, sourceFrom, source);
        return quotient(dfa, new Refinement(dfa, sourceFrom, source, isLive, budget).run());
    }

    private static boolean[] liveStates(Dfa dfa, int[] sourceFrom, int[] source) {
        int n = dfa.numStates();
        boolean[] isLive = new boolean[n];
        int[] stack = new int[n];
        int size = 0;
        for (int state = 0; state < n; state++) {
            if (dfa.isAccepting(state)) {
                isLive[state] = true;
                stack[size++] = state;
            }
        }
        while (size > 0) {
            int state = stack[--size];
            for (int i = sourceFrom[state]; i < sourceFrom[state + 1]; i++) {
                if (!isLive[source[i]]) {
                    isLive[source[i]] = true;
                    stack[size++] = source[i];
                }
            }
        }
        return isLive;
    }

    private static Dfa quotient(Dfa dfa, int[] block) {
        Dfa.Builder builder = new Dfa.Builder();
        if (block[0] == Dfa.NONE) {
            builder.addState(false);
            return builder.build();
        }
        int numBlocks = 0;
        for (int b : block) {
            numBlocks = Math.max(numBlocks, b + 1);
        }
        int[] numberOf = new int[numBlocks];
        Arrays.fill(numberOf, Dfa.NONE);
        int[] order = new int[numBlocks]; // a state of each block, in the order of the new numbers
        int found = 1;
        numberOf[block[0]] = 0;
        for (int number = 0; number < found; number++) {
            int state = order[number];
            builder.addState(dfa.isAccepting(state));
            for (int edge = dfa.firstEdge(state); edge < dfa.endEdge(state); edge++) {
                int to = block[dfa.target(edge)];
                if (to == Dfa.NONE) {
                    continue;
                }
                if (numberOf[to] == Dfa.NONE) {
                    numberOf[to] = found;
                    order[found++] = dfa.target(edge);
                }
                builder.addEdge(dfa.low(edge), dfa.high(edge), numberOf[to]);
            }
        }
        return builder.build();
    }
}
