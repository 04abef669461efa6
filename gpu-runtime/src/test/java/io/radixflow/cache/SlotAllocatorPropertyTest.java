package io.radixflow.cache;

import io.radixflow.testkit.PropertyEvents;
import java.util.BitSet;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Random allocations and frees of pages against a bit set of owned ones. */
class SlotAllocatorPropertyTest {

    @Property(tries = PropertyEvents.TRIES)
    void everySlotHasOneOwner(@ForAll long seed) {
        Random random = new Random(seed);
        int pageSize = new int[] {1, 16, 32, 64}[random.nextInt(4)];
        int numPages = 1 + random.nextInt(400);
        SlotAllocator allocator = new SlotAllocator(numPages * pageSize, pageSize);
        BitSet owned = new BitSet();
        int[] slots = new int[(numPages + 1) * pageSize];
        for (int event = 0; event < PropertyEvents.perTry(); event++) {
            if (random.nextBoolean()) {
                int num = 1 + random.nextInt(1 + random.nextInt(numPages));
                int answer = allocator.allocate(num * pageSize, slots, 0);
                boolean fits = num <= numPages - owned.cardinality();
                check(answer == (fits ? num * pageSize : SlotAllocator.NO_SLOTS), "the answer");
                for (int i = 0; i < answer; i++) {
                    int page = slots[i - i % pageSize] / pageSize;
                    check(slots[i] == page * pageSize + i % pageSize, "a page");
                    check(i % pageSize > 0 || !owned.get(page), "a page's owner");
                    owned.set(page);
                }
            } else {
                for (int page = owned.nextSetBit(0); page >= 0; page = owned.nextSetBit(page + 1)) {
                    if (random.nextInt(3) == 0) {
                        allocator.free(page * pageSize);
                        owned.clear(page);
                    }
                }
            }
            allocator.checkIntegrity();
            check(allocator.numFree() == (numPages - owned.cardinality()) * pageSize, "the number of free slots");
        }
    }

    /** Without the cost of an assertion object. */
    private static void check(boolean isTrue, String what) {
        if (!isTrue) {
            throw new AssertionError(what + " is wrong");
        }
    }
}
