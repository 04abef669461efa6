package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.operators.RangeCuts.Range;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class RangeCutsTest {

    @Test
    void cutsBetweenGroupsRatherThanWithinThem() {
        RangeCuts cuts = new RangeCuts();
        for (int i = 0; i < 800; i++) {
            boolean isFirstOfGroup = i % 10 == 0;
            cuts.add(i, isFirstOfGroup ? 0 : 100, isFirstOfGroup ? 110 : 10);
        }
        List<Range> ranges = cuts.cut(2, 800);
        assertThat(ranges).hasSize(16).allMatch(range -> range.from() % 10 == 0 && range.to() % 10 == 0);
    }

    @Test
    void makesFewerRangesWhereEachCutIsDear() {
        RangeCuts cuts = new RangeCuts();
        for (int i = 0; i < 1_000; i++) {
            cuts.add(i, i == 0 ? 0 : 500, i == 0 ? 510 : 10);
        }
        assertThat(cuts.cut(4, 1_000)).hasSize(4).allMatch(range -> range.work() < 3_500);
    }

    @Test
    void staysWithinItsMemoryAndEvenForLongRuns() {
        RangeCuts cuts = new RangeCuts();
        int numRequests = 300_000;
        for (int i = 0; i < numRequests; i++) {
            cuts.add(i, i % 100 == 0 ? 0 : 64, 32);
        }
        List<Range> ranges = cuts.cut(4, numRequests);
        assertThat(ranges).hasSize(32);
        assertThat(ranges)
                .allMatch(range -> range.work() > 16L * numRequests / 32 && range.work() < 48L * numRequests / 32);
    }

    @Property(tries = 200)
    void coversTheRunWithoutGapOrOverlap(
            @ForAll @Size(max = 300) List<@IntRange(min = 1, max = 50) Integer> work,
            @ForAll @IntRange(min = 1, max = 9) int numEngines) {
        RangeCuts cuts = new RangeCuts();
        long total = 0;
        for (int i = 0; i < work.size(); i++) {
            cuts.add(i, work.get(i) % 7, work.get(i));
            total += work.get(i);
        }
        List<Range> ranges = cuts.cut(numEngines, work.size());
        long end = 0;
        for (Range range : ranges) {
            assertThat(range.from()).isEqualTo(end);
            assertThat(range.to()).isGreaterThan(range.from());
            end = range.to();
        }
        assertThat(end).isEqualTo(work.size());
        assertThat(ranges.stream().mapToLong(Range::work).sum()).isEqualTo(total);
    }
}
