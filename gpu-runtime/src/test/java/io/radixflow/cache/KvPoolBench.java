package io.radixflow.cache;

import io.radixflow.engine.CacheNamespace;
import io.radixflow.testkit.Work;
import java.util.Objects;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** A life of a prompt in the cache: 1,024 tokens shared with 4,096 others, 32 of its own. */
@State(Scope.Thread)
public class KvPoolBench {

    private static final int NUM_PROMPTS = 4_096;
    private static final int SHARED_LEN = 1_024;
    private static final int LEN = SHARED_LEN + 32;

    private final PrefixMatch match = new PrefixMatch();
    private final int[] prompt = new int[LEN];
    private final int[] slots = new int[LEN];
    private final Random random = new Random(1);
    private KvPool pool = new KvPool(1, 1, EvictionOrder.LRU);

    @Setup(Level.Iteration)
    public void fill() {
        pool = new KvPool(SHARED_LEN + NUM_PROMPTS * (LEN - SHARED_LEN), 1, EvictionOrder.LRU);
        for (int i = 0; i < SHARED_LEN; i++) {
            prompt[i] = i;
        }
        for (int i = 0; i < NUM_PROMPTS; i++) {
            addPrompt();
        }
    }

    /** Matches a new prompt, takes slots for its end and inserts it; the full pool evicts another for it. */
    @Benchmark
    public int addPrompt(Work work) {
        work.add(0, 4.0 * LEN);
        return addPrompt();
    }

    private int addPrompt() {
        for (int i = SHARED_LEN; i < LEN; i++) {
            prompt[i] = random.nextInt(50_000);
        }
        pool.tree().matchPrefix(CacheNamespace.COMMON, prompt, LEN, match);
        RadixNode node = Objects.requireNonNull(match.node);
        pool.tree().copySlots(node, match.len, slots, 0);
        pool.tree().lock(node);
        pool.allocate(LEN - match.len, slots, match.len);
        pool.tree().unlock(node);
        pool.tree().matchPrefix(CacheNamespace.COMMON, prompt, LEN, match);
        pool.tree().insert(match, prompt, LEN, slots, 0);
        return match.len;
    }

    /** Finds a prompt that is there whole. */
    @Benchmark
    public int matchPrompt(Work work) {
        work.add(0, 4.0 * LEN);
        return pool.tree().peekPrefix(CacheNamespace.COMMON, prompt, LEN);
    }

    /** Takes the slots of one decoded token and of a prompt's end, and gives them back. */
    @Benchmark
    public int allocateAndFree(Slots free, Work work) {
        work.add(0, 4.0 * 33);
        int first = free.allocator.allocate(1, slots, 0);
        int more = free.allocator.allocate(32, slots, 1);
        free.allocator.free(slots, 0, 33);
        return first + more;
    }

    /** An allocator of which every other run of 64 slots is in use. */
    @State(Scope.Thread)
    public static class Slots {
        private final SlotAllocator allocator = new SlotAllocator(1 << 18, 1);

        @Setup
        public void fragment() {
            int[] all = new int[1 << 18];
            allocator.allocate(all.length, all, 0);
            for (int from = 0; from < all.length; from += 128) {
                allocator.free(all, from, from + 64);
            }
        }
    }
}
