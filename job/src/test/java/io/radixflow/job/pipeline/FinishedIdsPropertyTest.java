package io.radixflow.job.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class FinishedIdsPropertyTest {

    @Property(tries = 200)
    void isTheSetOfWhatWasAdded(@ForAll @Size(max = 300) List<String> added, @ForAll List<String> asked) {
        FinishedIds ids = new FinishedIds();
        Set<String> twin = new HashSet<>();
        for (String id : added) {
            assertThat(ids.add(id)).isEqualTo(twin.add(id));
        }
        assertThat(ids.size()).isEqualTo(twin.size());
        added.forEach(id -> assertThat(ids.contains(id)).isTrue());
        asked.forEach(id -> assertThat(ids.contains(id)).isEqualTo(twin.contains(id)));
    }

    /** Far beyond the first table, so that it grows several times. */
    @Property(tries = 5)
    void keepsAllAsItGrows(@ForAll @IntRange(max = 1_000_000) int first) {
        FinishedIds ids = new FinishedIds();
        int num = 20_000;
        for (int i = 0; i < num; i++) {
            assertThat(ids.add("row:" + (first + i))).isTrue();
        }
        for (int i = 0; i < num; i++) {
            assertThat(ids.contains("row:" + (first + i))).isTrue();
            assertThat(ids.contains("row:" + (first + num + i))).isFalse();
        }
    }
}
