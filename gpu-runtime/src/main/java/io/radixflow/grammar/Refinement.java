package io.radixflow.grammar;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Groups the states of an automaton by what they accept. Starts with two blocks and splits those whose states lead into different blocks by the same
 * letters, until none does. A split leaves the largest part its number, so a state is given another one, and its predecessors are looked at again,
 * only when its block has halved: O(edges log states) [1]. Used once.
 *
 * <p>[1] Hopcroft, "An n log n algorithm for minimizing states in a finite automaton", 1971; Valmari, "Simple bisimilarity minimization", 2010, for
 * blocks split by signatures.
 */
final class Refinement {

    private final Dfa dfa;
    private final boolean[] isLive;
    private final Budget budget;
    private final int[] block; // [numStates] -1 is dead
    private final int[] members; // live states, those of a block side by side
    private final int[] placeOf; // [numStates] in members
    private final IntList from = new IntList(); // [numBlocks] the block's part of members
    private final IntList to = new IntList();
    private final IntList numDirty =
            new IntList(); // [numBlocks] its first so many members have a successor that was renumbered
    private final IntList dirtyBlocks = new IntList();
    private final int[] sourceFrom; // [numStates + 1]
    private final int[] source; // predecessors
    private final IntList signature = new IntList();
    private final IntList renumbered = new IntList();

    /** @param sourceFrom where the predecessors of each state begin in {@code source} */
    Refinement(Dfa dfa, int[] sourceFrom, int[] source, boolean[] isLive, Budget budget) {
        this.dfa = dfa;
        this.isLive = isLive;
        this.budget = budget;
        int n = dfa.numStates();
        block = new int[n];
        members = new int[n];
        placeOf = new int[n];
        this.sourceFrom = sourceFrom;
        this.source = source;
    }

    /** The block of each state; -1 for those from which nothing is accepted. */
    int[] run() {
        Arrays.fill(block, Dfa.NONE);
        int size = addBlock(false, 0);
        addBlock(true, size);
        while (dirtyBlocks.size() > 0) {
            split(dirtyBlocks.removeLast());
        }
        return block;
    }

    private int addBlock(boolean isAccepting, int start) {
        int end = start;
        for (int state = 0; state < block.length; state++) {
            if (isLive[state] && dfa.isAccepting(state) == isAccepting) {
                block[state] = from.size();
                placeOf[state] = end;
                members[end++] = state;
            }
        }
        if (end > start) {
            from.add(start);
            to.add(end);
            numDirty.add(end - start);
            dirtyBlocks.add(from.size() - 1);
        }
        return end;
    }

    /** Members that are not dirty agree still, and differ from those that are: none of them leads to a number that is new. */
    private void split(int b) {
        int start = from.get(b);
        int[] group = new int[numDirty.get(b)];
        numDirty.set(b, 0);
        int rest = to.get(b) - start - group.length;
        if (to.get(b) - start == 1) {
            return;
        }
        int numGroups = group(start, group);
        if (numGroups + (rest > 0 ? 1 : 0) > 1) {
            regroup(b, group, numGroups);
        }
    }

    /** Numbers the different signatures of the members from {@code start} on; returns how many there are. */
    private int group(int start, int[] group) {
        if (group.length == 1) {
            return 1;
        }
        Map<IntKey, Integer> groupOf = new HashMap<>();
        for (int i = 0; i < group.length; i++) {
            Integer fresh = groupOf.size();
            Integer known = groupOf.putIfAbsent(sign(members[start + i]), fresh);
            group[i] = known == null ? fresh : known;
        }
        return groupOf.size();
    }

    /** The state's edges with the blocks that they lead to; edges side by side into one block count as one. */
    private IntKey sign(int state) {
        budget.spend(1 + dfa.endEdge(state) - dfa.firstEdge(state));
        signature.clear();
        for (int edge = dfa.firstEdge(state); edge < dfa.endEdge(state); edge++) {
            int target = block[dfa.target(edge)];
            if (target == Dfa.NONE) {
                continue;
            }
            int last = signature.size() - 1;
            if (last >= 2 && signature.get(last) == target && signature.get(last - 1) == dfa.low(edge) - 1) {
                signature.set(last - 1, dfa.high(edge));
            } else {
                signature.add(dfa.low(edge));
                signature.add(dfa.high(edge));
                signature.add(target);
            }
        }
        return new IntKey(signature.toArray());
    }

    /** Sorts the dirty members by group; all groups but the largest, which may be the rest, become blocks of their own. */
    private void regroup(int b, int[] group, int numGroups) {
        int start = from.get(b);
        int end = to.get(b);
        int[] groupFrom = new int[numGroups + 2];
        for (int g : group) {
            groupFrom[g + 1]++;
        }
        for (int g = 0; g < numGroups; g++) {
            groupFrom[g + 1] += groupFrom[g];
        }
        int[] sorted = new int[group.length];
        int[] fill = Arrays.copyOf(groupFrom, numGroups);
        for (int i = 0; i < group.length; i++) {
            sorted[fill[group[i]]++] = members[start + i];
        }
        for (int i = 0; i < sorted.length; i++) {
            place(sorted[i], start + i);
        }
        groupFrom[numGroups + 1] = end - start; // the rest is the last group, perhaps an empty one
        int largest = 0;
        for (int g = 1; g <= numGroups; g++) {
            boolean isLarger = groupFrom[g + 1] - groupFrom[g] > groupFrom[largest + 1] - groupFrom[largest];
            largest = isLarger ? g : largest;
        }
        for (int g = 0; g <= numGroups; g++) {
            if (g == largest) {
                from.set(b, start + groupFrom[g]);
                to.set(b, start + groupFrom[g + 1]);
            } else if (groupFrom[g] < groupFrom[g + 1]) {
                renumber(start + groupFrom[g], start + groupFrom[g + 1]);
            }
        }
        markSources();
    }

    private void place(int state, int place) {
        members[place] = state;
        placeOf[state] = place;
    }

    private void renumber(int start, int end) {
        for (int i = start; i < end; i++) {
            block[members[i]] = from.size();
            renumbered.add(members[i]);
        }
        from.add(start);
        to.add(end);
        numDirty.add(0);
    }

    private void markSources() {
        for (int i = 0; i < renumbered.size(); i++) {
            int state = renumbered.get(i);
            budget.spend(1 + sourceFrom[state + 1] - sourceFrom[state]);
            for (int s = sourceFrom[state]; s < sourceFrom[state + 1]; s++) {
                if (isLive[source[s]]) {
                    markDirty(source[s]);
                }
            }
        }
        renumbered.clear();
    }

    private void markDirty(int state) {
        int b = block[state];
        int firstClean = from.get(b) + numDirty.get(b);
        if (placeOf[state] < firstClean) {
            return;
        }
        if (numDirty.get(b) == 0) {
            dirtyBlocks.add(b);
        }
        int other = members[firstClean];
        place(other, placeOf[state]);
        place(state, firstClean);
        numDirty.set(b, numDirty.get(b) + 1);
    }
}
