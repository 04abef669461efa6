package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.SegmentCosts;
import io.radixflow.testkit.PropertyEvents;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Random forests of segments: what items and tails cover of a row is all of it, once, and its records are those of its items. */
class SharedItemsPropertyTest {

    private static final int MAX_ROWS = 40;
    private static final int UNTOUCHED = -7;
    private static final SegmentCosts COSTS = new SegmentCosts(1, 1, 1000, 2, 5, 7);

    private static final class World {
        final Random random;
        final SharedItems.Device device;
        final int maxRecords;
        final SharedItems items;
        final ForwardBatch batch = new ForwardBatch(MAX_ROWS, MAX_ROWS, new int[MAX_ROWS], 1);
        final int[] ints;

        World(long seed) {
            random = new Random(seed);
            device = new SharedItems.Device(
                    1 + random.nextInt(12),
                    random.nextInt(5),
                    64 << random.nextInt(2),
                    1 + random.nextInt(8),
                    1 + random.nextInt(300));
            maxRecords = MAX_ROWS * (1 + random.nextInt(6)) / (1 + random.nextInt(3));
            items = new SharedItems(device, MAX_ROWS, maxRecords, COSTS, SharedItems.Overhead.NONE);
            ints = new int[SharedItems.numInts(MAX_ROWS, maxRecords)];
        }

        void fill() {
            int numRows = 2 + random.nextInt(MAX_ROWS - 1);
            batch.numSequences = numRows;
            batch.numSegments = 0;
            for (int place = 0; place < numRows; place++) {
                batch.segmentOrder[place] = place;
                batch.row[place] = 100 + random.nextInt(1000);
            }
            for (int place = numRows - 1; place > 0; place--) {
                int other = random.nextInt(place + 1);
                int kept = batch.segmentOrder[place];
                batch.segmentOrder[place] = batch.segmentOrder[other];
                batch.segmentOrder[other] = kept;
            }
            split(0, numRows, 0, 0);
        }

        /** Segments of places [first, end) that begin at a position, side by side, and those below them. */
        private void split(int first, int end, int from, int depth) {
            int place = first;
            while (place + 2 <= end) {
                int next = place + 2 + random.nextInt(end - place - 1);
                if (batch.numSegments < MAX_ROWS && random.nextInt(4) > 0) {
                    int g = batch.numSegments++;
                    batch.segmentFrom[g] = from;
                    batch.segmentTo[g] = from + 1 + random.nextInt(random.nextBoolean() ? 70 : 3000);
                    batch.segmentFirst[g] = place;
                    batch.segmentEnd[g] = next;
                    if (depth < 3) {
                        split(place, next, batch.segmentTo[g], depth + 1);
                    }
                }
                place = next;
            }
        }

        void check() {
            items.write(IntBuffer.wrap(ints));
            int numItems = ints[SharedItems.workAt(MAX_ROWS)];
            assertThat(numItems).isEqualTo(items.numItems());
            assertThat(items.numRecords()).isLessThanOrEqualTo(maxRecords);
            BitSet[] covered = new BitSet[MAX_ROWS];
            BitSet[] records = new BitSet[MAX_ROWS];
            for (int s = 0; s < MAX_ROWS; s++) {
                covered[s] = new BitSet();
                records[s] = new BitSet();
            }
            for (int i = 1; i <= numItems; i++) {
                int at = SharedItems.workAt(MAX_ROWS) + i * SharedItems.ITEM_INTS;
                int place = ints[at + 2];
                assertThat(ints[at]).isLessThan(ints[at + 1]);
                assertThat(ints[at + 3]).isBetween(1, device.tileSequences());
                for (int r = 0; r < ints[at + 3]; r++) {
                    int s = ints[SharedItems.orderAt(MAX_ROWS) + place + r];
                    assertThat(covered[s].get(ints[at], ints[at + 1]).cardinality())
                            .isZero();
                    covered[s].set(ints[at], ints[at + 1]);
                    assertThat(records[s].get(ints[at + 4] + r)).isFalse();
                    records[s].set(ints[at + 4] + r);
                    if (ints[at + 6] >= 0) {
                        assertThat(ints[at + 3]).isLessThanOrEqualTo(device.narrowSequences());
                        assertThat(records[s].get(ints[at + 6] + r)).isFalse();
                        records[s].set(ints[at + 6] + r);
                    }
                    assertThat(slotsAgree(ints[at + 5], s, ints[at + 1])).isTrue();
                }
            }
            for (int s = 0; s < MAX_ROWS; s++) {
                assertThat(covered[s].cardinality()).isEqualTo(ints[SharedItems.sharedLenAt() + s]);
                assertThat(covered[s].length()).isEqualTo(covered[s].cardinality());
                int first = ints[SharedItems.firstRecordAt(MAX_ROWS) + s];
                int num = ints[SharedItems.numRecordsAt(MAX_ROWS) + s];
                assertThat(num).isEqualTo(records[s].cardinality());
                for (int r = first; r < first + num; r++) {
                    assertThat(records[s].get(ints[SharedItems.recordsAt(MAX_ROWS, maxRecords) + r]))
                            .isTrue();
                }
            }
        }

        /** Whether the row's sequence is in all the segments up to a position that the other one is in. */
        private boolean slotsAgree(int row, int other, int to) {
            for (int g = 0; g < batch.numSegments; g++) {
                boolean hasRow = false;
                boolean hasOther = false;
                for (int place = batch.segmentFirst[g]; place < batch.segmentEnd[g]; place++) {
                    hasRow |= batch.row[batch.segmentOrder[place]] == row;
                    hasOther |= batch.segmentOrder[place] == other;
                }
                if (batch.segmentFrom[g] < to && hasOther && !hasRow) {
                    return false;
                }
            }
            return true;
        }
    }

    @Property(tries = PropertyEvents.TRIES)
    void itemsAndTailsCoverEachRowOnce(@ForAll long seed) {
        World world = new World(seed);
        for (int i = 0; i < PropertyEvents.perTry(); i++) {
            Arrays.fill(world.ints, UNTOUCHED);
            world.fill();
            boolean hasChanged = world.items.plan(world.batch);
            assertThat(hasChanged).isEqualTo(world.batch.numSegments > 0);
            if (world.batch.numSegments > 0) {
                world.check();
                assertThat(world.items.plan(world.batch)).isFalse();
            } else {
                assertThat(world.items.pays()).isFalse();
            }
        }
    }
}
