package io.radixflow.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SlotAllocatorTest {

    @Test
    void handsOutContiguousRunsWhileThereAreAny() {
        SlotAllocator allocator = new SlotAllocator(200);
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
        SlotAllocator allocator = new SlotAllocator(128);
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
        SlotAllocator allocator = new SlotAllocator(10);
        int[] slots = new int[11];
        assertThat(allocator.allocate(11, slots, 0)).isEqualTo(SlotAllocator.NO_SLOTS);
        assertThat(allocator.numFree()).isEqualTo(10);
        assertThat(allocator.allocate(10, slots, 0)).isEqualTo(10);
        assertThat(allocator.allocate(1, slots, 0)).isEqualTo(SlotAllocator.NO_SLOTS);
    }

    @Test
    void refusesToFreeWhatNobodyOwns() {
        SlotAllocator allocator = new SlotAllocator(10);
        assertThatThrownBy(() -> allocator.free(3)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> allocator.free(10)).isInstanceOf(IllegalStateException.class);
    }
}
