package io.radixflow.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.testkit.PropertyEvents;
import java.util.BitSet;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Random allocations and frees against a bit set of owned slots. */
class SlotAllocatorPropertyTest {

    @Property(tries = PropertyEvents.TRIES)
    void everySlotHasOneOwner(@ForAll long seed) {
        Random random = new Random(seed);
        int numSlots = 1 + random.nextInt(400);
        SlotAllocator allocator = new SlotAllocator(numSlots);
        BitSet owned = new BitSet();
        int[] slots = new int[numSlots + 1];
        for (int event = 0; event < PropertyEvents.perTry(); event++) {
            if (random.nextBoolean()) {
                int num = 1 + random.nextInt(1 + random.nextInt(numSlots));
                int answer = allocator.allocate(num, slots, 0);
                boolean fits = num <= numSlots - owned.cardinality();
                assertThat(answer).isEqualTo(fits ? num : SlotAllocator.NO_SLOTS);
                for (int i = 0; i < answer; i++) {
                    assertThat(owned.get(slots[i])).isFalse();
                    owned.set(slots[i]);
                }
            } else {
                for (int slot = owned.nextSetBit(0); slot >= 0; slot = owned.nextSetBit(slot + 1)) {
                    if (random.nextInt(3) == 0) {
                        allocator.free(slot);
                        owned.clear(slot);
                    }
                }
            }
            allocator.checkIntegrity();
            assertThat(allocator.numFree()).isEqualTo(numSlots - owned.cardinality());
        }
    }
}
