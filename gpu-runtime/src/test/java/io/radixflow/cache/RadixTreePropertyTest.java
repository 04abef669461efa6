package io.radixflow.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.testkit.PropertyEvents;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Random matches, inserts, locks and evictions against a naive twin: a map from each cached prefix, as text, to its slot. */
class RadixTreePropertyTest {

    private static final int NUM_SLOTS = 300;
    private static final int MAX_LEN = 24;

    /** A prefix that the test holds a lock on. */
    private static final class Held {
        final RadixNode node;
        final String prefix;

        Held(RadixNode node, String prefix) {
            this.node = node;
            this.prefix = prefix;
        }
    }

    private static final class Twin {
        final Random random;
        final SlotAllocator allocator = new SlotAllocator(NUM_SLOTS);
        final RadixTree tree = new RadixTree(allocator);
        final Map<String, Integer> cached = new HashMap<>();
        final List<Held> held = new ArrayList<>();
        final PrefixMatch match = new PrefixMatch();
        final int[] slots = new int[MAX_LEN];

        Twin(long seed) {
            random = new Random(seed);
        }

        void event() {
            int kind = random.nextInt(10);
            if (kind < 6) {
                insert();
            } else if (kind < 8) {
                release();
            } else {
                evict(1 + random.nextInt(20));
            }
            BitSet owned = new BitSet();
            tree.checkIntegrity(owned);
            assertThat(owned.cardinality()).isEqualTo(cached.size());
            assertThat(allocator.numFree() + cached.size()).isEqualTo(NUM_SLOTS);
            assertThat(tree.evictableTokens() + tree.protectedTokens()).isEqualTo(cached.size());
        }

        /** Few tokens and lengths, so that prefixes collide often; each is a letter of the twin's text. */
        private void insert() {
            String namespace = random.nextInt(4) == 0 ? "salt" : null;
            int len = 1 + random.nextInt(MAX_LEN);
            int[] tokens = new int[len];
            StringBuilder text = new StringBuilder(namespace == null ? "." : "s");
            int startLen = 0;
            boolean isCached = true;
            for (int i = 0; i < len; i++) {
                tokens[i] = random.nextInt(random.nextInt(4) == 0 ? 3 : 1) * 1000;
                text.append((char) ('a' + tokens[i] / 1000));
                isCached = isCached && cached.containsKey(text.toString());
                startLen = isCached ? i + 1 : startLen;
            }
            assertThat(tree.peekPrefix(namespace, tokens, len)).isEqualTo(startLen);
            tree.matchPrefix(namespace, tokens, len, match);
            assertThat(match.len).isEqualTo(startLen);
            RadixNode start = node();
            tree.copySlots(start, startLen, slots, 0);
            for (int i = 0; i < startLen; i++) {
                check(Objects.equals(cached.get(text.substring(0, i + 2)), slots[i]), "the slot of a match");
            }
            tree.lock(start);
            held.add(new Held(start, text.substring(0, startLen + 1)));
            extend(text.toString(), tokens, startLen);
        }

        private void extend(String text, int[] tokens, int startLen) {
            int num = tokens.length - startLen;
            if (num > allocator.numFree()) {
                evict(num - allocator.numFree());
            }
            if (allocator.allocate(num, slots, startLen) == SlotAllocator.NO_SLOTS) {
                return;
            }
            tree.insert(match, tokens, tokens.length, slots, 0);
            assertThat(match.len).isEqualTo(tokens.length);
            for (int i = 0; i < tokens.length; i++) {
                Integer before = cached.put(text.substring(0, i + 2), slots[i]);
                check(before == null || before == slots[i], "the slot of a known prefix");
            }
        }

        private void release() {
            if (!held.isEmpty()) {
                tree.unlock(held.remove(random.nextInt(held.size())).node);
            }
        }

        /** What went must have been unlocked, longest first, and no more than needed but for the last leaf. */
        private void evict(int num) {
            int evictable = tree.evictableTokens();
            int freed = tree.evict(num);
            assertThat(freed).isGreaterThanOrEqualTo(Math.min(num, evictable));
            List<String> gone = new ArrayList<>();
            for (Map.Entry<String, Integer> entry : cached.entrySet()) {
                if (allocator.isFree(entry.getValue())) {
                    gone.add(entry.getKey());
                }
            }
            assertThat(gone).hasSize(freed);
            for (String prefix : gone) {
                cached.remove(prefix);
                for (Held lock : held) {
                    check(!lock.prefix.startsWith(prefix), "an eviction under a lock");
                }
            }
            for (String prefix : cached.keySet()) {
                boolean hasParent =
                        prefix.length() == 2 || cached.containsKey(prefix.substring(0, prefix.length() - 1));
                check(hasParent, "a prefix without its own");
            }
        }

        /** Without the cost of an assertion object, for what is checked most. */
        private static void check(boolean isTrue, String what) {
            if (!isTrue) {
                throw new AssertionError(what + " is wrong");
            }
        }

        private RadixNode node() {
            RadixNode node = match.node;
            return Objects.requireNonNull(node);
        }
    }

    @Property(tries = PropertyEvents.TRIES)
    void behavesLikeAMapOfPrefixes(@ForAll long seed) {
        Twin twin = new Twin(seed);
        for (int event = 0; event < PropertyEvents.perTry(); event++) {
            twin.event();
        }
        while (!twin.held.isEmpty()) {
            twin.release();
        }
        twin.tree.evict(Integer.MAX_VALUE);
        assertThat(twin.allocator.numFree()).isEqualTo(NUM_SLOTS);
        assertThat(twin.tree.numNamespaces()).isZero();
    }
}
