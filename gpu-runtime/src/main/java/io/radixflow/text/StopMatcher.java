package io.radixflow.text;

import java.util.Arrays;
import java.util.List;

/**
 * Finds any of several stop strings in a stream of UTF-8 bytes: the automaton of Aho and Corasick [1] with child lists instead of
 * transition tables, so that its size is linear in the stops whatever a client sends.
 *
 * <p>A state stands for the longest suffix of the bytes read that begins some stop. Immutable; a step allocates nothing and costs O(1)
 * amortised, times the children of a node.
 *
 * <p>[1] Aho and Corasick, "Efficient String Matching: An Aid to Bibliographic Search", 1975.
 */
final class StopMatcher {

    static final int START = 0;
    private static final int NONE = -1;
    private static final StopMatcher NO_STOPS = new StopMatcher(List.of(), 0);

    private final byte[] label; // [numStates] byte that leads into the state
    private final int[] firstChild;
    private final int[] nextSibling;
    private final int[] fallback; // state of the longest proper suffix that begins a stop
    private final int[] heldLen; // length of the longest suffix that is a proper prefix of a stop
    private final int[] matchLen; // length of the longest stop that ends here, 0 if none
    private final int[] matchIndex; // which one that is, in the order of the request
    private int numStates = 1;

    private StopMatcher(List<byte[]> stops, int numBytes) {
        label = new byte[numBytes + 1];
        firstChild = new int[numBytes + 1];
        nextSibling = new int[numBytes + 1];
        fallback = new int[numBytes + 1];
        heldLen = new int[numBytes + 1];
        matchLen = new int[numBytes + 1];
        matchIndex = new int[numBytes + 1];
        Arrays.fill(firstChild, NONE);
        for (int index = 0; index < stops.size(); index++) {
            insert(stops.get(index), index);
        }
        link();
    }

    static StopMatcher of(List<String> stops) {
        if (stops.isEmpty()) {
            return NO_STOPS;
        }
        List<byte[]> bytes = stops.stream().map(Utf8::bytesOf).toList();
        return new StopMatcher(
                bytes, bytes.stream().mapToInt(stop -> stop.length).sum());
    }

    private void insert(byte[] stop, int index) {
        int state = START;
        for (byte b : stop) {
            int child = child(state, b);
            if (child == NONE) {
                child = numStates++;
                label[child] = b;
                nextSibling[child] = firstChild[state];
                firstChild[state] = child;
            }
            state = child;
        }
        matchLen[state] = stop.length;
        matchIndex[state] = index;
    }

    /** Breadth first, since a state's fallback is less deep. */
    private void link() {
        int[] queue = new int[numStates];
        int[] depth = new int[numStates];
        int queued = 1;
        for (int next = 0; next < queued; next++) {
            int state = queue[next];
            int shorter = fallback[state];
            heldLen[state] = firstChild[state] == NONE && state != START ? heldLen[shorter] : depth[state];
            if (matchLen[state] == 0) {
                matchLen[state] = matchLen[shorter];
                matchIndex[state] = matchIndex[shorter];
            }
            for (int child = firstChild[state]; child != NONE; child = nextSibling[child]) {
                fallback[child] = state == START ? START : step(shorter, label[child]);
                depth[child] = depth[state] + 1;
                queue[queued++] = child;
            }
        }
    }

    private int child(int state, byte b) {
        int child = firstChild[state];
        while (child != NONE && label[child] != b) {
            child = nextSibling[child];
        }
        return child;
    }

    boolean hasStops() {
        return numStates > 1;
    }

    /** The state after one more byte. */
    int step(int state, byte b) {
        int from = state;
        while (true) {
            int child = child(from, b);
            if (child != NONE) {
                return child;
            }
            if (from == START) {
                return START;
            }
            from = fallback[from];
        }
    }

    /** Bytes at the end of the text that may yet become part of a stop. */
    int heldLen(int state) {
        return heldLen[state];
    }

    /** Length of the longest stop that ends with the last byte, 0 if none does. */
    int matchLen(int state) {
        return matchLen[state];
    }

    /** Index among the request's stops of the one that {@link #matchLen} tells of. */
    int matchIndex(int state) {
        return matchIndex[state];
    }
}
