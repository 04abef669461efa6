package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.ForwardBatch;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Every tile once, those that see most tokens first. */
final class TileOrderTest {

    private static final int SEQUENCES_AT = 3;
    private static final int INDICES_AT = 3000;
    private static final int NOTHING = -7;

    private final IntBuffer ints = IntBuffer.allocate(6000);

    private static ForwardBatch batch(int[][] cachedAndExtend) {
        ForwardBatch batch = new ForwardBatch(1, cachedAndExtend.length, new int[cachedAndExtend.length], 1);
        for (int s = 0; s < cachedAndExtend.length; s++) {
            batch.cachedLen[s] = cachedAndExtend[s][0];
            batch.extendLen[s] = cachedAndExtend[s][1];
        }
        batch.numSequences = cachedAndExtend.length;
        return batch;
    }

    /** As {@code sequence.tile}. */
    private List<String> write(TileOrder order, ForwardBatch batch, int firstSequence) {
        for (int i = 0; i < ints.capacity(); i++) {
            ints.put(i, NOTHING);
        }
        int num = order.write(batch, firstSequence, ints, SEQUENCES_AT, INDICES_AT);
        List<String> tiles = new ArrayList<>();
        for (int i = 0; i < num; i++) {
            tiles.add(ints.get(SEQUENCES_AT + i) + "." + ints.get(INDICES_AT + i));
        }
        assertThat(ints.get(SEQUENCES_AT - 1)).isEqualTo(NOTHING);
        assertThat(ints.get(SEQUENCES_AT + num)).isEqualTo(NOTHING);
        assertThat(ints.get(INDICES_AT - 1)).isEqualTo(NOTHING);
        assertThat(ints.get(INDICES_AT + num)).isEqualTo(NOTHING);
        return tiles;
    }

    @Test
    void putsTilesThatSeeMostFirst() {
        ForwardBatch batch = batch(new int[][] {{0, 100}, {1000, 1}, {0, 300}});
        assertThat(write(new TileOrder(4, 128), batch, 0))
                .containsExactly(
                        "1.0", "2.8", "2.9", "2.4", "2.5", "2.6", "2.7", "0.0", "0.1", "0.2", "0.3", "2.0", "2.1",
                        "2.2", "2.3");
    }

    @Test
    void leavesOutWhatNeedsNoTiles() {
        ForwardBatch batch = batch(new int[][] {{50, 1}, {60, 1}, {0, 20}});
        assertThat(write(new TileOrder(2, 128), batch, 2)).containsExactly("2.0");
        assertThat(write(new TileOrder(2, 128), batch, 3)).isEmpty();
    }

    @Test
    void takesContextsLongerThanItCounts() {
        ForwardBatch batch = batch(new int[][] {{5_000_000, 1}, {6_000_000, 1}, {10, 1}});
        assertThat(write(new TileOrder(1, 128), batch, 0)).containsExactly("0.0", "1.0", "2.0");
    }

    @Test
    void agreesWithASortOfRandomBatches() {
        Random random = new Random(5);
        for (int round = 0; round < 200; round++) {
            int[][] sequences = new int[1 + random.nextInt(20)][];
            for (int s = 0; s < sequences.length; s++) {
                sequences[s] = new int[] {random.nextInt(2000), 1 + random.nextInt(500)};
            }
            int rowsPerToken = 1 + random.nextInt(16);
            int first = random.nextInt(sequences.length);
            List<int[]> tiles = new ArrayList<>();
            for (int s = first; s < sequences.length; s++) {
                int numRows = sequences[s][1] * rowsPerToken;
                for (int tile = 0; tile * 128 < numRows; tile++) {
                    int lastToken = (Math.min(numRows, (tile + 1) * 128) - 1) / rowsPerToken;
                    tiles.add(new int[] {s, tile, (sequences[s][0] + lastToken) / 128});
                }
            }
            tiles.sort(Comparator.comparingInt((int[] tile) -> -tile[2]));
            assertThat(write(new TileOrder(rowsPerToken, 128), batch(sequences), first))
                    .isEqualTo(
                            tiles.stream().map(tile -> tile[0] + "." + tile[1]).toList());
        }
    }
}
