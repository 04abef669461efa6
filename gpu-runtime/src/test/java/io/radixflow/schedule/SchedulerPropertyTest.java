package io.radixflow.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.cache.EvictionOrder;
import io.radixflow.cache.ExpectedPrompt;
import io.radixflow.engine.CacheNamespace;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.testkit.ManualClock;
import io.radixflow.testkit.PropertyEvents;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;

/**
 * Random arrivals, steps, aborts and deadlines in a pool that is often too small. A naive KV cache keeps a fingerprint of the whole prefix in
 * each slot; before each token is drawn, every slot of the sequence must hold what its tokens say.
 */
class SchedulerPropertyTest {

    private static final int[] PAGE_SIZES = {1, 1, 2, 16, 32, 64};
    private static final SchedulerConfig.Policy[] POLICIES = SchedulerConfig.Policy.values();
    private static final EvictionOrder[] ORDERS = EvictionOrder.values();

    private static final class World {
        final Random random;
        final SchedulerConfig config;
        final ManualClock clock = new ManualClock();
        final Scheduler scheduler;
        final List<Sequence> alive = new ArrayList<>();
        final List<ExpectedPrompt> announcements = new ArrayList<>();
        final long[] kv;
        /** The newest token of each sequence, which the scheduler may not know yet. */
        final Map<Sequence, Integer> drawn = new HashMap<>();

        @Nullable
        StepPlan underWay;

        int[] sampledUnderWay = {};
        long nextId;

        World(long seed) {
            random = new Random(seed);
            int pageSize = PAGE_SIZES[random.nextInt(PAGE_SIZES.length)];
            config = new SchedulerConfig(
                    (40 + random.nextInt(200) + pageSize) / pageSize * pageSize,
                    20 + random.nextInt(100),
                    1 + random.nextInt(8),
                    1 + random.nextInt(32),
                    1 + random.nextInt(64),
                    POLICIES[random.nextInt(POLICIES.length)],
                    random.nextInt(3) == 0 ? 0.05 : 1.0,
                    random.nextInt(4) > 0,
                    random.nextInt(4) == 0 ? 3 : 0,
                    pageSize,
                    ORDERS[random.nextInt(ORDERS.length)]);
            kv = new long[config.numSlots()];
            scheduler = new Scheduler(config, clock, this::onEnd);
        }

        void onEnd(Sequence sequence, FinishReason reason) {
            assertThat(reason == FinishReason.ABORT || reason == FinishReason.TIMEOUT)
                    .isTrue();
            assertThat(alive.remove(sequence)).isTrue();
        }

        void event() {
            int kind = random.nextInt(20);
            if (kind < 4 && alive.size() < 40) {
                add();
            } else if (kind == 4 && !alive.isEmpty()) {
                end(alive.get(random.nextInt(alive.size())));
            } else if (kind == 6) {
                announceOrWithdraw();
            } else if (kind == 5) {
                clock.set(clock.getAsLong() + random.nextInt(30));
            } else {
                step();
            }
            scheduler.checkIntegrity();
            assertThat(scheduler.numRunning() + scheduler.numWaiting()).isEqualTo(alive.size());
        }

        void add() {
            int most = config.maxRowLen() - 1;
            int len = 1 + random.nextInt(random.nextInt(4) == 0 ? most : Math.min(most, 48));
            int[] prompt = new int[len];
            for (int i = 0; i < len; i++) {
                prompt[i] = random.nextInt(12) == 0 ? random.nextInt(3) : 0;
            }
            GenerationRequest request = GenerationRequest.builder(
                            nextId++, prompt, SamplingParams.greedy(1 + random.nextInt(40)))
                    .cacheSalt(random.nextInt(5) == 0 ? "salt" : null)
                    .priority(random.nextInt(3) - 1)
                    .deadlineNanos(
                            random.nextInt(5) == 0
                                    ? clock.getAsLong() + random.nextInt(200)
                                    : GenerationRequest.NO_DEADLINE)
                    .build();
            Scheduler.checkFits(request, config.contextLen(), config.numSlots());
            Sequence sequence = new Sequence(request);
            alive.add(sequence);
            if (announcements.isEmpty() || random.nextBoolean()) {
                scheduler.add(sequence);
            } else {
                int place = random.nextInt(announcements.size());
                scheduler.addAnnounced(sequence, announcements.get(place));
                if (announcements.get(place).numUses() == 0) {
                    announcements.remove(place);
                }
            }
        }

        /** What comes need not be what was announced. */
        void announceOrWithdraw() {
            if (announcements.size() < 4) {
                int[] prefix = new int[1 + random.nextInt(60)];
                prefix[random.nextInt(prefix.length)] = random.nextInt(3);
                announcements.add(scheduler.announce(CacheNamespace.COMMON, prefix, 1 + random.nextInt(4)));
            } else {
                scheduler.withdraw(announcements.remove(random.nextInt(announcements.size())));
            }
        }

        void end(Sequence sequence) {
            scheduler.end(sequence);
            alive.remove(sequence);
        }

        /** Plans a step and runs it on slots that know what was written to them; commits it, or leaves that to the next one. */
        void step() {
            StepPlan plan = scheduler.plan();
            assertThat(plan.numSequences() > 0 || alive.isEmpty() || underWay != null)
                    .isTrue();
            assertThat(plan.numPrefillTokens()).isLessThanOrEqualTo(config.chunkedPrefillSize());
            int[] sampled = run(plan);
            if (plan.numSequences() > 0) {
                scheduler.advance(plan);
            }
            commitUnderWay();
            if (plan.numSequences() > 0) {
                underWay = plan;
                sampledUnderWay = sampled;
                if (random.nextInt(3) == 0) {
                    commitUnderWay();
                }
            }
            for (Sequence sequence : alive) {
                assertThat(sequence.numRetractions).isLessThanOrEqualTo(PrefillPlanner.MAX_RETRACTIONS);
            }
        }

        /** Returns the tokens drawn. */
        private int[] run(StepPlan plan) {
            RowTable rows = scheduler.rows();
            int[] sampled = new int[config.maxRunning()];
            int numSampled = 0;
            for (int place = 0; place < plan.numSequences(); place++) {
                Sequence sequence = plan.sequence(place);
                int to = sequence.kvLen() + plan.chunkLen(place);
                long prefix = sequence.request().namespace().cacheSalt() == null ? 1 : 2;
                for (int i = 0; i < to; i++) {
                    int token = i < sequence.knownLen() ? sequence.tokens()[i] : drawn.getOrDefault(sequence, -1);
                    prefix = prefix * 31 + token + 7;
                    int slot = rows.slots()[sequence.row() * rows.stride() + i];
                    if (i >= sequence.kvLen()) {
                        kv[slot] = prefix;
                    }
                    if (kv[slot] != prefix) {
                        throw new AssertionError("slot " + slot + " holds something else than its sequence's prefix");
                    }
                }
                if (plan.isSampled(place)) {
                    sampled[numSampled++] = (int) (prefix & 1);
                    drawn.put(sequence, (int) (prefix & 1));
                }
            }
            return sampled;
        }

        private void commitUnderWay() {
            StepPlan plan = underWay;
            underWay = null;
            if (plan == null) {
                return;
            }
            List<Sequence> got = new ArrayList<>();
            for (int place = 0; place < plan.numSequences(); place++) {
                if (plan.isSampled(place) && plan.sequence(place).phase() != Sequence.Phase.ENDED) {
                    got.add(plan.sequence(place));
                }
            }
            assertThat(scheduler.commit(plan, sampledUnderWay)).isEqualTo(got.size());
            for (Sequence sequence : got) {
                boolean isFull = sequence.knownOutputLen()
                        >= sequence.request().sampling().maxTokens();
                if (isFull || sequence.knownLen() >= config.contextLen() || random.nextInt(40) == 0) {
                    end(sequence);
                }
            }
        }
    }

    @Property(tries = PropertyEvents.TRIES)
    void accountsForEverySlotAndNeverMixesThemUp(@ForAll long seed) {
        run(seed);
    }

    /** Without a cache, a prompt of many chunks never got done while it was retracted again and again. */
    @Example
    void longPromptsGetDoneUnderForcedRetraction() {
        run(-1480);
    }

    private static void run(long seed) {
        World world = new World(seed);
        for (int event = 0; event < PropertyEvents.perTry(); event++) {
            world.event();
        }
        for (int step = 0; !world.alive.isEmpty(); step++) {
            assertThat(step).as("steps until all have ended").isLessThan(100_000);
            world.step();
            world.scheduler.checkIntegrity();
        }
        world.scheduler.flushCache();
        world.scheduler.checkIntegrity();
        world.scheduler.checkNothingLeft();
    }
}
