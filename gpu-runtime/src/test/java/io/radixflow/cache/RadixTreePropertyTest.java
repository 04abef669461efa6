package io.radixflow.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.CacheNamespace;
import io.radixflow.testkit.PropertyEvents;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/**
 * Random matches, inserts, locks, announcements and evictions against a naive twin: a map from each cached prefix, as text, to its page. A
 * letter of the text is a page of tokens.
 */
class RadixTreePropertyTest {

    private static final int NUM_PAGES = 300;
    private static final int MAX_LEN = 24;
    private static final int MAX_EXPECTED = 12;

    /** A prefix that the test holds a lock on. */
    private static final class Held {
        final RadixNode node;
        final String prefix;

        Held(RadixNode node, String prefix) {
            this.node = node;
            this.prefix = prefix;
        }
    }

    /** What the twin knows of a cached page. */
    private static final class Page {
        final int slot;
        long lastUse;
        int hits;

        Page(int slot) {
            this.slot = slot;
        }
    }

    /** A prompt that is known to come. */
    private static final class Known extends ExpectedPrompt {
        final String text;

        Known(CacheNamespace namespace, int[] tokens, int len, String text) {
            super(namespace, tokens, len, 0);
            this.text = text;
        }
    }

    private static final class Twin {
        final Random random;
        final int pageSize;
        final EvictionOrder order;
        final SlotAllocator allocator;
        final RadixTree tree;
        final Map<String, Page> cached = new HashMap<>();
        final List<Held> held = new ArrayList<>();
        final List<Known> expected = new ArrayList<>();
        final PrefixMatch match = new PrefixMatch();
        final int[] slots;
        long tick;

        Twin(long seed, int pageSize) {
            random = new Random(seed);
            this.pageSize = pageSize;
            order = List.of(EvictionOrder.values()).get(random.nextInt(3));
            allocator = new SlotAllocator(NUM_PAGES * pageSize, pageSize);
            tree = new RadixTree(allocator, order);
            slots = new int[MAX_LEN * pageSize];
        }

        void event() {
            int kind = random.nextInt(12);
            if (kind < 6) {
                insert();
            } else if (kind < 8) {
                release();
            } else if (kind < 10) {
                evict(1 + random.nextInt(20));
            } else if (kind == 10 && expected.size() < MAX_EXPECTED) {
                expect();
            } else if (!expected.isEmpty()) {
                endUses();
            }
            BitSet owned = new BitSet();
            tree.checkIntegrity(owned);
            check(owned.cardinality() == cached.size() * pageSize, "the number of slots");
            check(allocator.numFree() + owned.cardinality() == allocator.numSlots(), "free and cached slots");
            check(tree.evictableTokens() + tree.protectedTokens() == owned.cardinality(), "the number of tokens");
            if (random.nextInt(8) == 0) {
                checkUses();
            }
        }

        /** Few pages and lengths, so that prefixes collide often. Pages differ in their last token only. */
        private String text() {
            StringBuilder text = new StringBuilder(random.nextInt(4) == 0 ? "s" : ".");
            int len = 1 + random.nextInt(MAX_LEN);
            for (int i = 0; i < len; i++) {
                text.append((char) ('a' + random.nextInt(random.nextInt(4) == 0 ? 3 : 1)));
            }
            return text.toString();
        }

        /** And the begin of a further page, which must not matter. */
        private int[] tokens(String text) {
            int[] tokens = new int[(text.length() - 1) * pageSize + random.nextInt(pageSize)];
            for (int i = 1; i < text.length(); i++) {
                tokens[i * pageSize - 1] = 1000 * (text.charAt(i) - 'a');
            }
            return tokens;
        }

        private static CacheNamespace namespace(String text) {
            return text.charAt(0) == 's' ? CacheNamespace.ofSalt("salt") : CacheNamespace.COMMON;
        }

        private void insert() {
            String text = text();
            int[] tokens = tokens(text);
            int startLen = 0;
            while (startLen + 1 < text.length() && cached.containsKey(text.substring(0, startLen + 2))) {
                startLen++;
            }
            check(tree.peekPrefix(namespace(text), tokens, tokens.length) == startLen * pageSize, "a peek");
            tree.matchPrefix(namespace(text), tokens, tokens.length, match);
            check(match.len == startLen * pageSize, "a match");
            RadixNode start = node();
            tree.copySlots(start, match.len, slots, 0);
            for (int i = 0; i < startLen; i++) {
                check(pageOf(text, i).slot == slots[i * pageSize], "the slot of a match");
            }
            tree.lock(start);
            if (random.nextBoolean()) {
                tree.countHit(start);
                for (int i = 0; i < startLen; i++) {
                    pageOf(text, i).hits++;
                }
            }
            held.add(new Held(start, text.substring(0, startLen + 1)));
            extend(text, tokens, startLen);
        }

        private void extend(String text, int[] tokens, int startLen) {
            int len = text.length() - 1;
            int num = (len - startLen) * pageSize;
            if (num > allocator.numFree()) {
                evict(num - allocator.numFree());
            }
            if (allocator.allocate(num, slots, startLen * pageSize) == SlotAllocator.NO_SLOTS) {
                return;
            }
            tree.insert(match, tokens, len * pageSize, slots, 0);
            check(match.len == len * pageSize, "the length after an insert");
            tick++;
            for (int i = 0; i < len; i++) {
                Page page = cached.computeIfAbsent(
                        text.substring(0, i + 2), absent -> new Page(slots[absent.length() * pageSize - 2 * pageSize]));
                check(page.slot == slots[i * pageSize], "the slot of a known prefix");
                page.lastUse = i < startLen ? page.lastUse : tick;
            }
        }

        private void release() {
            if (!held.isEmpty()) {
                Held lock = held.remove(random.nextInt(held.size()));
                tree.unlock(lock.node);
                tick++;
                for (int i = 0; i + 1 < lock.prefix.length(); i++) {
                    pageOf(lock.prefix, i).lastUse = tick;
                }
            }
        }

        private void expect() {
            String text = text();
            int[] tokens = tokens(text);
            Known known = new Known(namespace(text), tokens, tokens.length, text);
            tree.expect(known, 1 + random.nextInt(3));
            if (tree.countsKnownUses()) {
                expected.add(known);
            }
        }

        private void endUses() {
            Known known = expected.get(random.nextInt(expected.size()));
            tree.endUses(known, 1 + random.nextInt(known.numUses()));
            if (known.numUses() == 0) {
                expected.remove(known);
            }
        }

        /** What went must have been unlocked, the longest first, and nothing that the order would keep longer than what stayed. */
        private void evict(int num) {
            int evictable = tree.evictableTokens();
            int freed = tree.evict(num * pageSize);
            check(freed >= Math.min(num * pageSize, evictable), "the number of freed slots");
            Map<String, Page> gone = new HashMap<>();
            for (Map.Entry<String, Page> entry : cached.entrySet()) {
                if (allocator.isFree(entry.getValue().slot)) {
                    gone.put(entry.getKey(), entry.getValue());
                }
            }
            check(gone.size() * pageSize == freed, "the count of freed slots");
            cached.keySet().removeAll(gone.keySet());
            long mostGone = Long.MIN_VALUE;
            for (Map.Entry<String, Page> entry : gone.entrySet()) {
                check(!isLocked(entry.getKey()), "an eviction under a lock");
                mostGone = Math.max(mostGone, worth(entry.getKey(), entry.getValue()));
            }
            for (Map.Entry<String, Page> entry : cached.entrySet()) {
                String prefix = entry.getKey();
                check(
                        prefix.length() == 2 || cached.containsKey(prefix.substring(0, prefix.length() - 1)),
                        "a prefix without its own");
                if (!gone.isEmpty() && !isLocked(prefix)) {
                    check(worth(prefix, entry.getValue()) >= mostGone, "the order of eviction");
                }
            }
        }

        private boolean isLocked(String prefix) {
            for (Held lock : held) {
                if (lock.prefix.startsWith(prefix)) {
                    return true;
                }
            }
            return false;
        }

        private long worth(String prefix, Page page) {
            return switch (order) {
                case LRU -> page.lastUse;
                case LFU -> ((long) Math.min(page.hits, 255) << 32) + page.lastUse;
                case KNOWN_USES -> Math.min(uses(prefix), 255);
            };
        }

        private int uses(String prefix) {
            int uses = 0;
            for (Known known : expected) {
                uses += known.text.startsWith(prefix) ? known.numUses() : 0;
            }
            return uses;
        }

        /** Each node's count holds for all of its pages. */
        private void checkUses() {
            for (String text : new String[] {".", "s"}) {
                tree.matchPrefix(namespace(text), new int[0], 0, match);
                ArrayDeque<RadixNode> nodes = new ArrayDeque<>();
                ArrayDeque<String> paths = new ArrayDeque<>();
                nodes.add(node());
                paths.add(text);
                while (!nodes.isEmpty()) {
                    RadixNode node = nodes.remove();
                    StringBuilder path = new StringBuilder(paths.remove());
                    for (int i = pageSize - 1; i < node.len(); i += pageSize) {
                        path.append((char) ('a' + node.tokens[i] / 1000));
                        check(node.uses == uses(path.toString()), "the uses of " + path);
                    }
                    for (int place = 0; place < node.tableLen(); place++) {
                        RadixNode child = node.childAt(place);
                        if (child != null) {
                            nodes.add(child);
                            paths.add(path.toString());
                        }
                    }
                }
            }
        }

        private Page pageOf(String text, int i) {
            return Objects.requireNonNull(cached.get(text.substring(0, i + 2)));
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
        run(seed, 1);
    }

    @Property(tries = PropertyEvents.TRIES)
    void inPagesOf16(@ForAll long seed) {
        run(seed, 16);
    }

    @Property(tries = PropertyEvents.TRIES)
    void inPagesOf32(@ForAll long seed) {
        run(seed, 32);
    }

    @Property(tries = PropertyEvents.TRIES)
    void inPagesOf64(@ForAll long seed) {
        run(seed, 64);
    }

    private static void run(long seed, int pageSize) {
        Twin twin = new Twin(seed, pageSize);
        for (int event = 0; event < PropertyEvents.perTry() / 4; event++) {
            twin.event();
        }
        while (!twin.held.isEmpty()) {
            twin.release();
        }
        while (!twin.expected.isEmpty()) {
            twin.endUses();
        }
        twin.tree.evict(Integer.MAX_VALUE);
        assertThat(twin.allocator.numFree()).isEqualTo(twin.allocator.numSlots());
        assertThat(twin.tree.numNamespaces()).isZero();
    }
}
