package io.radixflow.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.radixflow.testkit.PropertyEvents;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/**
 * Random rows over a random tree of slots come, grow, change and go. Segments must cover what they say, once, and save what a naive count
 * says: the most that there is. A planner that has seen all steps must find what a new one finds.
 */
class SegmentPlannerPropertyTest {

    private static final int MAX_ROWS = 12;
    private static final int STRIDE = 160;
    /** When a row begins. */
    private static final int MAX_CACHED = 120;

    /** All their subsets are tried. */
    private static final int MAX_NODES = 6;

    private static final double ROUNDING = 1e-6;

    /** A row of the table: a path down the tree, then slots of its own. */
    private static final class Row {
        final int index;
        int cachedLen;
        int extendLen;

        Row(int index) {
            this.index = index;
        }
    }

    private static final class World {
        final Random random;
        final SegmentCosts costs;
        final ForwardBatch batch = new ForwardBatch(4096, MAX_ROWS, new int[MAX_ROWS * STRIDE], STRIDE);
        final SegmentPlanner planner;
        final List<Row> rows = new ArrayList<>();
        int nextSlot;

        World(long seed) {
            random = new Random(seed);
            int maxExtendLen = 1 + random.nextInt(6);
            costs = new SegmentCosts(
                    random.nextInt(3) == 0 ? 1 + random.nextInt(32) : 1,
                    maxExtendLen,
                    random.nextBoolean() ? Integer.MAX_VALUE : maxExtendLen + random.nextInt(8),
                    1,
                    random.nextInt(3),
                    random.nextInt(8),
                    random.nextInt(40));
            planner = new SegmentPlanner(MAX_ROWS, MAX_ROWS, costs);
        }

        void event() {
            int kind = random.nextInt(10);
            if (rows.isEmpty() || (kind < 3 && rows.size() < MAX_ROWS)) {
                rows.add(random.nextInt(rows.size() + 1), begin(new Row(freeRow())));
            } else if (kind < 5) {
                rows.remove(random.nextInt(rows.size()));
            } else if (kind == 5) {
                begin(rows.get(random.nextInt(rows.size())));
            } else {
                rows.forEach(this::grow);
            }
            fill();
        }

        int freeRow() {
            Set<Integer> used = new HashSet<>();
            rows.forEach(row -> used.add(row.index));
            int row = random.nextInt(MAX_ROWS);
            while (used.contains(row)) {
                row = (row + 1) % MAX_ROWS;
            }
            return row;
        }

        /** Gives the row part of another's cached slots, and slots of its own behind. */
        Row begin(Row row) {
            Row other = rows.isEmpty() ? row : rows.get(random.nextInt(rows.size()));
            int shared = other == row ? 0 : random.nextInt(Math.min(other.cachedLen, MAX_CACHED) + 1);
            row.cachedLen = Math.min(MAX_CACHED, shared + random.nextInt(30));
            row.extendLen = random.nextInt(3) == 0 ? 1 + random.nextInt(8) : 1;
            for (int i = 0; i < STRIDE; i++) {
                batch.slotTable[row.index * STRIDE + i] =
                        i < shared ? batch.slotTable[other.index * STRIDE + i] : nextSlot++;
            }
            batch.rowVersion[row.index]++;
            return row;
        }

        void grow(Row row) {
            if (row.cachedLen + 16 < STRIDE) {
                row.cachedLen += row.extendLen;
                row.extendLen = random.nextInt(4) == 0 ? 1 + random.nextInt(8) : 1;
            }
        }

        void fill() {
            batch.numSequences = rows.size();
            for (int s = 0; s < rows.size(); s++) {
                batch.row[s] = rows.get(s).index;
                batch.cachedLen[s] = rows.get(s).cachedLen;
                batch.extendLen[s] = rows.get(s).extendLen;
            }
        }

        int slot(int sequence, int position) {
            return batch.slotTable[batch.row[sequence] * STRIDE + position];
        }

        /** Segments lie in their parents, cover each position of a row at most once and from the first one on, and the rows' slots are equal. */
        void checkCover() {
            assertThat(batch.segmentOrder).contains(range(MAX_ROWS)); // a permutation
            int[] covered = new int[MAX_ROWS];
            int[] level = new int[MAX_ROWS];
            int lastFirst = 0;
            for (int g = 0; g < batch.numSegments; g++) {
                int first = batch.segmentFirst[g];
                assertThat(first).isGreaterThanOrEqualTo(lastFirst);
                lastFirst = first;
                assertThat(batch.segmentEnd[g]).isGreaterThanOrEqualTo(first + 2);
                for (int place = first; place < batch.segmentEnd[g]; place++) {
                    int s = batch.segmentOrder[place];
                    assertThat(batch.segmentFrom[g]).isEqualTo(covered[s]);
                    assertThat(batch.segmentLevel[g]).isEqualTo(level[s]++);
                    covered[s] = batch.segmentTo[g];
                    assertThat(batch.extendLen[s]).isLessThanOrEqualTo(costs.maxExtendLen());
                    for (int i = batch.segmentFrom[g]; i < covered[s]; i++) {
                        assertThat(slot(s, i)).isEqualTo(slot(batch.segmentOrder[first], i));
                    }
                }
                assertThat(batch.segmentFrom[g]).isLessThan(batch.segmentTo[g]);
                assertThat(batch.segmentTo[g] % costs.granularity()).isZero();
            }
            for (int s = 0; s < rows.size(); s++) {
                assertThat(batch.sharedLen[s]).isEqualTo(covered[s]).isLessThanOrEqualTo(batch.cachedLen[s]);
            }
        }

        int[] range(int end) {
            int[] all = new int[end];
            for (int i = 0; i < end; i++) {
                all[i] = i < rows.size() ? i : all[0];
            }
            return all;
        }

        /** What the segments of a batch save in all, by their own counts. */
        double saved(ForwardBatch planned) {
            double saved = 0;
            for (int g = 0; g < planned.numSegments; g++) {
                int numTokens = 0;
                for (int place = planned.segmentFirst[g]; place < planned.segmentEnd[g]; place++) {
                    numTokens += planned.extendLen[planned.segmentOrder[place]];
                }
                saved += saved(
                        planned.segmentTo[g] - planned.segmentFrom[g],
                        planned.segmentEnd[g] - planned.segmentFirst[g],
                        numTokens);
            }
            return saved;
        }

        double saved(int len, int numRows, int numTokens) {
            double reads = Math.ceil((double) numTokens / costs.tokensPerRead());
            double saved = costs.readToken() * numRows - costs.readTogether() * reads;
            return saved * len - costs.segment() - costs.handOver() * numTokens;
        }

        /** Most that any choice of segments saves: all subsets of the tree's nodes, or too many to look at: what is saved with none. */
        double mostSaved() {
            Set<List<Integer>> nodes = new HashSet<>();
            for (int a = 0; a < rows.size(); a++) {
                for (int b = 0; b < a; b++) {
                    int len = commonLen(a, b) / costs.granularity() * costs.granularity();
                    if (len > 0) {
                        nodes.add(node(a, len));
                    }
                }
            }
            List<List<Integer>> all = List.copyOf(nodes);
            double most = 0;
            for (int subset = 0; all.size() <= MAX_NODES && subset < 1 << all.size(); subset++) {
                most = Math.max(most, saved(all, subset));
            }
            return most;
        }

        int commonLen(int a, int b) {
            boolean isShared = Math.max(batch.extendLen[a], batch.extendLen[b]) <= costs.maxExtendLen();
            int most = isShared ? Math.min(batch.cachedLen[a], batch.cachedLen[b]) : 0;
            int len = 0;
            while (len < most && slot(a, len) == slot(b, len)) {
                len++;
            }
            return len;
        }

        /** Length, then all rows that have so much in common with row a. */
        List<Integer> node(int a, int len) {
            List<Integer> node = new ArrayList<>(List.of(len));
            for (int b = 0; b < rows.size(); b++) {
                if (a == b || commonLen(a, b) >= len) {
                    node.add(b);
                }
            }
            return node;
        }

        double saved(List<List<Integer>> nodes, int subset) {
            double saved = 0;
            for (int i = 0; i < nodes.size(); i++) {
                List<Integer> node = nodes.get(i);
                int len = node.get(0);
                List<Integer> members = node.subList(1, node.size());
                int from = 0;
                for (int j = 0; j < nodes.size(); j++) {
                    int otherLen = nodes.get(j).get(0);
                    boolean isAbove = otherLen < len
                            && nodes.get(j).subList(1, nodes.get(j).size()).containsAll(members);
                    from = isAbove && (subset >> j & 1) != 0 ? Math.max(from, otherLen) : from;
                }
                int numTokens = 0;
                for (int s : members) {
                    numTokens += batch.extendLen[s];
                }
                saved += (subset >> i & 1) == 0 ? 0 : saved(len - from, members.size(), numTokens);
            }
            return saved;
        }

        ForwardBatch copy() {
            ForwardBatch copy = new ForwardBatch(4096, MAX_ROWS, batch.slotTable, STRIDE, batch.rowVersion);
            copy.numSequences = batch.numSequences;
            System.arraycopy(batch.row, 0, copy.row, 0, MAX_ROWS);
            System.arraycopy(batch.cachedLen, 0, copy.cachedLen, 0, MAX_ROWS);
            System.arraycopy(batch.extendLen, 0, copy.extendLen, 0, MAX_ROWS);
            return copy;
        }
    }

    @Property(tries = PropertyEvents.TRIES)
    void coversEachPositionOnceAndSavesWhatItCan(@ForAll long seed) {
        World world = new World(seed);
        for (int i = 0; i < PropertyEvents.perTry(); i++) {
            world.event();
            world.planner.plan(world.batch);
            world.checkCover();
            double saved = world.saved(world.batch);
            ForwardBatch fresh = world.copy();
            new SegmentPlanner(MAX_ROWS, MAX_ROWS, world.costs).plan(fresh);
            assertThat(saved).isEqualTo(world.saved(fresh), within(ROUNDING));
            assertThat(saved).isGreaterThan(world.mostSaved() - ROUNDING);
        }
    }
}
