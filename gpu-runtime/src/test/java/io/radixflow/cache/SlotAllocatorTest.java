package io.radixflow.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SlotAllocatorTest {

    @Test
    void handsOutContiguousRunsWhileThereAreAny() {
        SlotAllocator allocator = new SlotAllocator(200, 1);
        int[] slots = new int[200];
        assertThat(allocator.allocate(1, slots, 0)).isEqualTo(1);
        assertThat(allocator.allocate(100, slots, 1)).isEqualTo(100);
        for (int i = 0; i < 101; i++) {
            assertThat(slots[i]).isEqualTo(i);
        }
        allocator.free(slots, 10, 90); // a hole of 80 slots, 99 at the end
        assertThat(allocator.allocate(99, slots, 101)).isEqualTo(99);
        assertThat(slots[101]).isEqualTo(101);
        assertThat(allocator.allocate(70, slots, 10)).isEqualTo(70);
        assertThat(slots[10]).isEqualTo(10);
        assertThat(slots[79]).isEqualTo(79);
        allocator.checkIntegrity();
    }

    @Test
    void gathersScatteredSlotsWhenNoRunIsLongEnough() {
        SlotAllocator allocator = new SlotAllocator(128, 1);
        int[] slots = new int[128];
        allocator.allocate(128, slots, 0);
        for (int slot = 0; slot < 128; slot += 2) {
            allocator.free(slot);
        }
        assertThat(allocator.allocate(64, slots, 0)).isEqualTo(64);
        assertThat(slots[1] - slots[0]).isEqualTo(2);
        assertThat(allocator.numFree()).isZero();
    }

    @Test
    void answersNoSlotsAndTakesNothingWhenFull() {
        SlotAllocator allocator = new SlotAllocator(10, 1);
        int[] slots = new int[11];
        assertThat(allocator.allocate(11, slots, 0)).isEqualTo(SlotAllocator.NO_SLOTS);
        assertThat(allocator.numFree()).isEqualTo(10);
        assertThat(allocator.allocate(10, slots, 0)).isEqualTo(10);
        assertThat(allocator.allocate(1, slots, 0)).isEqualTo(SlotAllocator.NO_SLOTS);
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 32, 64})
    void handsOutWholeAlignedPages(int pageSize) {
        SlotAllocator allocator = new SlotAllocator(10 * pageSize, pageSize);
        int[] slots = new int[10 * pageSize];
        assertThat(allocator.allocate(3 * pageSize, slots, 0)).isEqualTo(3 * pageSize);
        assertThat(allocator.allocate(7 * pageSize, slots, 3 * pageSize)).isEqualTo(7 * pageSize);
        for (int i = 0; i < slots.length; i++) {
            assertThat(slots[i]).isEqualTo(i);
        }
        allocator.free(slots[pageSize]);
        allocator.free(slots[5 * pageSize]);
        assertThat(allocator.numFree()).isEqualTo(2 * pageSize);
        assertThat(allocator.allocate(2 * pageSize, slots, 0)).isEqualTo(2 * pageSize);
        for (int i = 0; i < 2 * pageSize; i++) {
            assertThat(slots[i]).isEqualTo((i < pageSize ? pageSize : 4 * pageSize) + i);
        }
        assertThatThrownBy(() -> allocator.free(pageSize + 1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void refusesAPoolThatIsNotOfWholePages() {
        assertThatThrownBy(() -> new SlotAllocator(100, 16)).hasMessageContaining("100 slots in pages of 16");
        assertThatThrownBy(() -> new SlotAllocator(99, 3)).hasMessageContaining("power of two");
    }

    @Test
    void refusesToFreeWhatNobodyOwns() {
        SlotAllocator allocator = new SlotAllocator(10, 1);
        assertThatThrownBy(() -> allocator.free(3)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> allocator.free(10)).isInstanceOf(IllegalStateException.class);
    }
}
