package io.radixflow.backend;

import java.util.Arrays;

/**
 * Finds which runs of slots a step's attention should read once for several rows: the radix tree's edges above the rows, but for those that
 * don't pay, which are read by the segments below them, and in the end by the rows.
 *
 * <p>The common lengths of neighbours in {@link PrefixOrder} are the tree [1]. What a node saves depends on where the nearest shared node above it
 * ends. So from the leaves up, for each node and each of its ancestors as that one: is the subtree cheaper with the node shared, its
 * children beginning where it ends, or without, they beginning where it would have? Then from the root down with what was chosen. The
 * result is the cheapest choice there is, but that nodes below {@link #MAX_DEPTH} others are never shared.
 *
 * <p>Owned by the engine thread. Allocates nothing after construction. While the rows stay, a step costs a pass over them; else O(rows * depth).
 *
 * <p>[1] Kasai et al., "Linear-time longest-common-prefix computation in suffix arrays", 2001: the tree from common lengths, by a stack.
 */
public final class SegmentPlanner {

    /** A node's choices are bits of a long. */
    private static final int MAX_DEPTH = Long.SIZE - 1;

    private static final int NONE = -1;

    private final SegmentCosts costs;
    private final PrefixOrder order;

    /** [maxSequences + 1] tokens that the rows before a place compute. */
    private final int[] tokensBefore;
    /** [maxSequences] tokens of the row at a place that segments cover. */
    private final int[] sharedLen;

    // [maxSequences] Nodes from the root down to the place that is looked at.
    private final int[] pathLen;
    private final int[] pathEnd;

    // [maxSequences] All nodes, children before parents, the rightmost first.
    private final int[] nodeFirst; // places [first, end)
    private final int[] nodeEnd;
    private final int[] nodeLen;
    private final int[] nodeParent;
    private final int[] nodeDepth;
    /** Bit k: whether it pays to share the node if the nearest shared node above has depth k - 1; bit 0: if there is none. */
    private final long[] nodePays;
    /** Depth of the nearest shared node from this one up, plus 1; 0 if there is none. */
    private final int[] nodeShared;
    /** How many are shared from this one up. */
    private final int[] nodeLevel;

    private int numNodes;

    /** [depth][k] what the nodes of that depth below one parent save in all, k as above. */
    private final double[][] saved = new double[MAX_DEPTH + 2][MAX_DEPTH + 2];

    /**
     * @param maxSequences of a batch
     * @param maxRows of the slot table
     */
    public SegmentPlanner(int maxSequences, int maxRows, SegmentCosts costs) {
        this.costs = costs;
        order = new PrefixOrder(maxSequences, maxRows);
        tokensBefore = new int[maxSequences + 1];
        sharedLen = new int[maxSequences];
        pathLen = new int[maxSequences];
        pathEnd = new int[maxSequences];
        nodeFirst = new int[maxSequences];
        nodeEnd = new int[maxSequences];
        nodeLen = new int[maxSequences];
        nodeParent = new int[maxSequences];
        nodeDepth = new int[maxSequences];
        nodePays = new long[maxSequences];
        nodeShared = new int[maxSequences];
        nodeLevel = new int[maxSequences];
    }

    /** Writes the segments of the batch, the same one each time, whose other columns are filled. */
    public void plan(ForwardBatch batch) {
        if (costs.maxExtendLen() == 0) {
            return;
        }
        if (order.update(batch, costs.maxExtendLen())) {
            findNodes();
            findParents();
            chooseAll();
            share(batch);
        }
        int place = 0;
        for (; place < order.size(); place++) {
            batch.segmentOrder[place] = order.sequence(place);
            batch.sharedLen[order.sequence(place)] = sharedLen[place];
        }
        for (int s = 0; place < batch.numSequences; s++) {
            if (batch.extendLen[s] > costs.maxExtendLen()) {
                batch.segmentOrder[place++] = s;
                batch.sharedLen[s] = 0;
            }
        }
    }

    /** Walks the places from the last to the first; a node's first place is the one before which less is in common than its length. */
    private void findNodes() {
        numNodes = 0;
        int depth = 0;
        for (int place = order.size() - 2; place >= -1; place--) {
            int common = place < 0 ? 0 : order.commonLen(place) / costs.granularity() * costs.granularity();
            int end = place + 2;
            while (depth > 0 && pathLen[depth - 1] > common) {
                depth--;
                end = pathEnd[depth];
                nodeFirst[numNodes] = place + 1;
                nodeEnd[numNodes] = end;
                nodeLen[numNodes++] = pathLen[depth];
            }
            if (common > (depth == 0 ? 0 : pathLen[depth - 1])) {
                pathLen[depth] = common;
                pathEnd[depth++] = end;
            }
        }
        for (int place = 0; place < order.size(); place++) {
            tokensBefore[place + 1] = tokensBefore[place] + order.extendLen(place);
        }
    }

    private void findParents() {
        int parent = NONE;
        for (int node = numNodes - 1; node >= 0; node--) {
            while (parent != NONE && nodeEnd[parent] <= nodeFirst[node]) {
                parent = nodeParent[parent];
            }
            nodeParent[node] = parent;
            nodeDepth[node] = parent == NONE ? 0 : nodeDepth[parent] + 1;
            parent = node;
        }
    }

    private void chooseAll() {
        for (int node = 0; node < numNodes; node++) {
            if (nodeDepth[node] <= MAX_DEPTH) {
                choose(node);
            } else {
                nodePays[node] = 0;
            }
        }
        Arrays.fill(saved[0], 0); // the roots'
    }

    /** For each place where the node may begin: whether to share it, and what it and all below it save then. */
    private void choose(int node) {
        int depth = nodeDepth[node];
        int numTokens = tokensBefore[nodeEnd[node]] - tokensBefore[nodeFirst[node]];
        double cost = costs.segment() + costs.handOver() * numTokens;
        double savedPerToken = costs.savedPerToken(nodeEnd[node] - nodeFirst[node], numTokens);
        double[] childrenSaved = saved[depth + 1];
        long pays = 0;
        int above = nodeParent[node];
        for (int k = depth; k >= 0; k--) {
            int from = above == NONE ? 0 : nodeLen[above];
            double gain = savedPerToken * (nodeLen[node] - from) - cost + childrenSaved[depth + 1];
            if (gain > childrenSaved[k]) {
                pays |= 1L << k;
                saved[depth][k] += gain;
            } else {
                saved[depth][k] += childrenSaved[k];
            }
            above = above == NONE ? NONE : nodeParent[above];
        }
        nodePays[node] = pays;
        Arrays.fill(childrenSaved, 0, depth + 2, 0);
    }

    private void share(ForwardBatch batch) {
        Arrays.fill(sharedLen, 0, order.size(), 0);
        int numSegments = 0;
        for (int node = numNodes - 1; node >= 0; node--) {
            int parent = nodeParent[node];
            int begin = parent == NONE ? 0 : nodeShared[parent];
            int level = parent == NONE ? 0 : nodeLevel[parent];
            boolean isShared = (nodePays[node] >>> begin & 1) != 0;
            nodeShared[node] = isShared ? nodeDepth[node] + 1 : begin;
            nodeLevel[node] = isShared ? level + 1 : level;
            if (isShared) {
                batch.segmentFrom[numSegments] = sharedLen[nodeFirst[node]];
                batch.segmentTo[numSegments] = nodeLen[node];
                batch.segmentFirst[numSegments] = nodeFirst[node];
                batch.segmentEnd[numSegments] = nodeEnd[node];
                batch.segmentLevel[numSegments++] = level;
                Arrays.fill(sharedLen, nodeFirst[node], nodeEnd[node], nodeLen[node]);
            }
        }
        batch.numSegments = numSegments;
    }
}
