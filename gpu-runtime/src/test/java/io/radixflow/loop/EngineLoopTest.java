package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.cache.EvictionOrder;
import io.radixflow.engine.CacheNamespace;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.PrefixAnnouncement;
import io.radixflow.engine.SamplingParams;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.schedule.SchedulerConfig.Policy;
import io.radixflow.testkit.FakeModel;
import io.radixflow.testkit.FakeParts;
import io.radixflow.testkit.RecordingListener.Recorded;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EngineLoopTest {

    private final LoopFixture engine = new LoopFixture(FakeParts.of(FakeParts.wide()));

    @Test
    void generatesWhatTheModelSaysAndItsText() {
        int[] prompt = {5, 6, 7};
        submit(engine, 1, prompt, ignoringEos(4));
        engine.drain();
        Recorded got = engine.listener.of(1);
        List<Integer> expected = expectedTokens(prompt, 4);
        assertThat(got.tokens()).isEqualTo(expected);
        assertThat(got.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(got.text()).isEqualTo(text(expected));
        assertThat(got.numEnds()).isEqualTo(1);
    }

    @Test
    void endsAtAnEndTokenWhichNeverShows() {
        int[] prompt = {5, 6, 7};
        List<Integer> free = expectedTokens(prompt, 6);
        SamplingParams params = SamplingParams.builder()
                .temperature(0)
                .maxTokens(6)
                .stopTokenIds(new int[] {free.get(3)})
                .build();
        submit(engine, 1, prompt, params);
        engine.drain();
        assertThat(engine.listener.of(1).tokens()).isEqualTo(free.subList(0, 4));
        assertThat(engine.listener.of(1).finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(engine.listener.of(1).text()).isEqualTo(text(free.subList(0, 3)));
    }

    @Test
    void endsAtAStopStringThatSpansTokens() {
        int[] prompt = {9, 9};
        List<Integer> free = expectedTokens(prompt, 8);
        SamplingParams params = SamplingParams.builder()
                .temperature(0)
                .ignoreEos(true)
                .maxTokens(8)
                .stop(List.of(free.get(2) + "> <" + free.get(3)))
                .build();
        submit(engine, 1, prompt, params);
        engine.drain();
        assertThat(engine.listener.of(1).finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(engine.listener.of(1).text()).isEqualTo(text(free.subList(0, 2)) + "<");
    }

    @Test
    void drawsNoEndTokenBeforeMinTokens() {
        int[] prompt = {5, 6, 7};
        int[] ends = new int[400]; // the model would hit one of them soon
        Arrays.setAll(ends, i -> i);
        SamplingParams params = SamplingParams.builder()
                .temperature(0)
                .maxTokens(50)
                .minTokens(20)
                .stopTokenIds(ends)
                .build();
        submit(engine, 1, prompt, params);
        engine.drain();
        List<Integer> tokens = engine.listener.of(1).tokens();
        assertThat(tokens.size()).isBetween(21, 50);
        assertThat(tokens.subList(0, 20)).allMatch(token -> token >= 400);
    }

    @Test
    void stopsAtTheContextLength() {
        LoopFixture small = new LoopFixture(FakeParts.of(config(1000, 10, 8, true)));
        submit(small, 1, new int[] {1, 2, 3, 4}, ignoringEos(100));
        small.drain();
        assertThat(small.listener.of(1).tokens()).hasSize(6);
        assertThat(small.listener.of(1).finishReason()).isEqualTo(FinishReason.LENGTH);
    }

    @Test
    void anIdenticalPromptIsCachedButForItsLastToken() {
        int[] prompt = prompt(1, 300);
        submit(engine, 1, prompt, ignoringEos(3));
        engine.drain();
        submit(engine, 2, prompt, ignoringEos(3));
        engine.drain();
        assertThat(engine.listener.of(1).cachedLen()).isZero();
        assertThat(engine.listener.of(2).cachedLen()).isEqualTo(299);
        assertThat(engine.listener.of(2).tokens())
                .isEqualTo(engine.listener.of(1).tokens());
        assertThat(engine.loop.stats().read().cachedTokensTotal()).isEqualTo(299);
    }

    @Test
    void sharesExactlyTheCommonTokens() {
        int[] first = prompt(1, 400);
        int[] second = first.clone();
        second[257] = 996;
        submit(engine, 1, first, ignoringEos(2));
        engine.drain();
        submit(engine, 2, second, ignoringEos(2));
        engine.drain();
        assertThat(engine.listener.of(2).cachedLen()).isEqualTo(257);
    }

    @Test
    void saltsSeparateCaches() {
        int[] prompt = prompt(1, 100);
        for (int id = 0; id < 4; id++) {
            engine.session.submit(GenerationRequest.builder(id, prompt, ignoringEos(2))
                    .cacheSalt("salt" + id / 2)
                    .build());
            engine.drain();
        }
        assertThat(engine.listener.of(0).cachedLen()).isZero();
        assertThat(engine.listener.of(1).cachedLen()).isEqualTo(99);
        assertThat(engine.listener.of(2).cachedLen()).isZero();
    }

    @Test
    void theSameTextAsSaltAndAsAdapterNeverMeets() {
        int[] prompt = prompt(1, 100);
        CacheNamespace[] namespaces = {
            CacheNamespace.ofSalt("x"), new CacheNamespace(null, "x", null), new CacheNamespace(null, null, "x")
        };
        for (int id = 0; id < 6; id++) {
            engine.session.submit(GenerationRequest.builder(id, prompt, ignoringEos(2))
                    .namespace(namespaces[id % 3])
                    .build());
            engine.drain();
            assertThat(engine.listener.of(id).cachedLen()).isEqualTo(id < 3 ? 0 : 99);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 32, 64})
    void sharesWholePages(int pageSize) {
        LoopFixture paged = new LoopFixture(
                FakeParts.of(new SchedulerConfig(64 * 100, 4096, 16, 512, 16_384, Policy.LPM, 1.0, true, 0)
                        .withCache(pageSize, EvictionOrder.LRU)));
        int[] first = prompt(1, 400);
        int[] second = first.clone();
        second[257] = 996;
        submit(paged, 1, first, ignoringEos(2));
        paged.drain();
        submit(paged, 2, second, ignoringEos(2));
        paged.drain();
        submit(paged, 3, Arrays.copyOf(first, 64), ignoringEos(2));
        paged.drain();
        assertThat(paged.listener.of(2).cachedLen()).isEqualTo(256);
        assertThat(paged.listener.of(3).cachedLen()).isEqualTo(64 - pageSize); // the last token is always computed
        assertThat(paged.listener.of(1).tokens()).isEqualTo(expectedTokens(first, 2));
        assertThat(paged.listener.of(2).tokens()).isEqualTo(expectedTokens(second, 2));
    }

    @Test
    void keepsAnAnnouncedPrefixForItsLastUserThenFreesItFirst() {
        int[] wanted = prompt(1, 40);
        assertThat(cachedAfterOthers(EvictionOrder.LRU, wanted)).isZero();
        assertThat(cachedAfterOthers(EvictionOrder.KNOWN_USES, wanted)).isEqualTo(39);
    }

    /** Cached tokens of the second of two announced requests, between which others fill the pool. */
    private static int cachedAfterOthers(EvictionOrder order, int[] wanted) {
        LoopFixture small =
                new LoopFixture(FakeParts.of(config(100, 100, 1, true).withCache(1, order)));
        assertThat(small.session.announce(new PrefixAnnouncement(7, CacheNamespace.COMMON, wanted, 2)))
                .isTrue();
        for (int id = 0; id < 6; id++) {
            boolean isAnnounced = id == 0 || id == 5;
            small.session.submit(
                    GenerationRequest.builder(id, isAnnounced ? wanted : prompt(1 + id, 40), ignoringEos(1))
                            .announcementId(isAnnounced ? 7 : GenerationRequest.NO_ANNOUNCEMENT)
                            .build());
            small.drain();
        }
        submit(small, 6, prompt(50, 30), ignoringEos(1)); // needs room: what is spent goes, not what is older
        small.drain();
        submit(small, 7, prompt(5, 40), ignoringEos(1));
        small.drain();
        assertThat(small.listener.of(7).cachedLen()).isEqualTo(order == EvictionOrder.KNOWN_USES ? 39 : 0);
        small.session.announce(new PrefixAnnouncement(8, CacheNamespace.COMMON, wanted, 2));
        small.session.withdraw(8);
        small.session.announce(new PrefixAnnouncement(9, CacheNamespace.COMMON, wanted, 2));
        small.session.close();
        small.drain();
        return small.listener.of(5).cachedLen();
    }

    @Test
    void anAbortReleasesExactlyWhatItHeld() {
        LoopFixture pair = new LoopFixture(FakeParts.of(config(1000, 400, 4, true)));
        submit(pair, 1, prompt(1, 100), ignoringEos(200));
        pair.work(3);
        int usedBefore = pair.loop.scheduler().numUsedTokens();
        int[] longer = Arrays.copyOf(prompt(1, 100), 180);
        submit(pair, 2, longer, ignoringEos(200));
        pair.work(1); // one step: the other takes one slot more
        assertThat(pair.loop.scheduler().numUsedTokens()).isEqualTo(usedBefore + 1 + 80);
        pair.session.abort(2);
        pair.work(1);
        assertThat(pair.loop.scheduler().numUsedTokens()).isEqualTo(usedBefore + 2);
        pair.session.abort(1);
        pair.work(1);
        assertThat(pair.loop.scheduler().numUsedTokens()).isZero();
    }

    @Test
    void flushesTheCacheOnlyWhenIdle() {
        submit(engine, 1, prompt(1, 100), ignoringEos(20));
        engine.work(2);
        assertThat(flush(engine)).isFalse();
        engine.drain();
        assertThat(flush(engine)).isTrue();
        submit(engine, 2, prompt(1, 100), ignoringEos(2));
        engine.drain();
        assertThat(engine.listener.of(2).cachedLen()).isZero();
    }

    private static boolean flush(LoopFixture engine) {
        CompletableFuture<Boolean> isFlushed = new CompletableFuture<>();
        engine.loop.handle(new Command.FlushCache(isFlushed));
        return isFlushed.join();
    }

    @Test
    void theNextTurnHitsAllOfTheLastOne() {
        int[] prompt = prompt(1, 50);
        submit(engine, 1, prompt, ignoringEos(10));
        engine.drain();
        List<Integer> answer = engine.listener.of(1).tokens();
        int[] next = Arrays.copyOf(prompt, 50 + 10 + 20);
        for (int i = 0; i < 10; i++) {
            next[50 + i] = answer.get(i);
        }
        submit(engine, 2, next, ignoringEos(2));
        engine.drain();
        assertThat(engine.listener.of(2).cachedLen()).isEqualTo(59); // the last token was drawn, never computed
    }

    @Test
    void coldRequestsThatShareAPrefixComputeItOnce() {
        LoopFixture wide = new LoopFixture(
                FakeParts.of(new SchedulerConfig(100_000, 4096, 64, 512, 16_384, Policy.LPM, 1.0, true, 0)));
        int[] shared = prompt(7, 2048);
        for (int id = 0; id < 64; id++) {
            int[] prompt = Arrays.copyOf(shared, 2048 + 8);
            Arrays.fill(prompt, 2048, 2056, 1 + id);
            submit(wide, id, prompt, ignoringEos(1));
        }
        wide.drain();
        assertThat(wide.computedTokens()).isEqualTo(2048 + 64 * 8);
        assertThat(wide.listener.numEnded()).isEqualTo(64);
    }

    @Test
    void decodesGoOnWhileALongPromptIsChunked() {
        submit(engine, 1, prompt(1, 10), ignoringEos(100));
        engine.work(3);
        int before = engine.listener.of(1).tokens().size();
        submit(engine, 2, prompt(2, 3000), ignoringEos(2));
        engine.work(6);
        assertThat(engine.listener.of(1).tokens()).hasSize(before + 6);
        assertThat(engine.listener.has(2)).isTrue();
        engine.drain();
    }

    @Test
    void resumesWithTheSameTokensAndOnlyNewText() {
        int[] prompt = prompt(3, 20);
        SamplingParams params = SamplingParams.builder()
                .temperature(1)
                .seed(42)
                .ignoreEos(true)
                .maxTokens(12)
                .build();
        submit(engine, 1, prompt, params);
        engine.drain();
        Recorded whole = engine.listener.of(1);
        int[] soFar = whole.tokens().subList(0, 5).stream()
                .mapToInt(Integer::intValue)
                .toArray();
        LoopFixture other = new LoopFixture(FakeParts.of(FakeParts.wide()));
        other.session.submit(
                GenerationRequest.builder(1, prompt, params).outputIds(soFar).build());
        other.drain();
        Recorded rest = other.listener.of(1);
        assertThat(rest.tokens()).isEqualTo(whole.tokens().subList(5, 12));
        assertThat(text(whole.tokens().subList(0, 5)) + rest.text()).isEqualTo(whole.text());
    }

    @Test
    void abortsWaitingAndRunningRequests() {
        LoopFixture single = new LoopFixture(FakeParts.of(config(1000, 100, 1, true)));
        submit(single, 1, prompt(1, 10), ignoringEos(50));
        submit(single, 2, prompt(2, 10), ignoringEos(50));
        single.work(5);
        single.session.abort(1);
        single.session.abort(2);
        single.session.abort(99);
        single.drain();
        assertThat(single.listener.of(1).finishReason()).isEqualTo(FinishReason.ABORT);
        assertThat(single.listener.of(1).tokens()).isNotEmpty();
        assertThat(single.listener.of(2).finishReason()).isEqualTo(FinishReason.ABORT);
        assertThat(single.listener.of(2).tokens()).isEmpty();
        assertThat(single.loop.stats().read().numAbortedRequestsTotal()).isEqualTo(2);
    }

    @Test
    void endsWithTimeoutWaitingAndRunning() {
        LoopFixture single = new LoopFixture(FakeParts.of(config(1000, 100, 1, true)));
        for (int id = 1; id <= 2; id++) {
            single.session.submit(GenerationRequest.builder(id, prompt(id, 10), ignoringEos(50))
                    .deadlineNanos(100)
                    .build());
        }
        single.work(5);
        single.clock.set(100);
        single.drain();
        assertThat(single.listener.of(1).finishReason()).isEqualTo(FinishReason.TIMEOUT);
        assertThat(single.listener.of(2).finishReason()).isEqualTo(FinishReason.TIMEOUT);
    }

    @Test
    void aLoneSequenceThatOutgrowsThePoolIsAborted() {
        LoopFixture small = new LoopFixture(FakeParts.of(config(40, 100, 4, true)));
        submit(small, 1, prompt(1, 30), ignoringEos(60));
        small.drain();
        assertThat(small.listener.of(1).finishReason()).isEqualTo(FinishReason.ABORT);
        assertThat(small.listener.of(1).tokens()).hasSize(11); // 40 slots, and the token drawn last needs none
    }

    @Test
    void refusesWhatNeverFitsWithTheNeed() {
        LoopFixture small = new LoopFixture(FakeParts.of(config(40, 100, 4, true)));
        assertThatThrownBy(() -> submit(small, 1, prompt(1, 100), ignoringEos(1)))
                .isInstanceOfSatisfying(
                        EngineException.class,
                        e -> assertThat(e.category()).isEqualTo(EngineException.Category.INVALID_REQUEST))
                .hasMessageContaining("prompt of 100 tokens")
                .hasMessageContaining("context length of 100");
        assertThatThrownBy(() -> submit(small, 1, prompt(1, 41), ignoringEos(1)))
                .hasMessageContaining("41 tokens")
                .hasMessageContaining("the pool has 40");
        assertThatThrownBy(() -> submit(small, 1, new int[] {5000}, ignoringEos(1)))
                .hasMessageContaining("token id 5000");
    }

    @Test
    void retractsOnShortageAndEveryAnswerStaysRight() {
        LoopFixture tight = new LoopFixture(FakeParts.of(
                new SchedulerConfig(120, 100, 8, 64, 512, Policy.LPM, 0.02, true, 0))); // admits far too many
        for (int id = 0; id < 8; id++) {
            submit(tight, id, prompt(id, 10), ignoringEos(60));
        }
        tight.drain();
        assertThat(tight.loop.stats().read().numRetractedReqs()).isBetween(1L, 60L);
        for (int id = 0; id < 8; id++) {
            assertThat(tight.listener.of(id).tokens()).isEqualTo(expectedTokens(prompt(id, 10), 60));
        }
    }

    @Test
    void aClosedSessionGetsNothingMore() {
        submit(engine, 1, prompt(1, 10), ignoringEos(50));
        engine.work(4);
        int before = engine.listener.of(1).tokens().size();
        engine.session.close();
        engine.drain();
        assertThat(engine.listener.of(1).tokens()).hasSize(before);
        assertThat(engine.loop.scheduler().numRunning()).isZero();
        assertThatThrownBy(() -> submit(engine, 2, prompt(1, 10), ignoringEos(5)))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void firstComeFirstServedKeepsTheOrder() {
        LoopFixture single =
                new LoopFixture(FakeParts.of(new SchedulerConfig(1000, 100, 1, 64, 512, Policy.FCFS, 1.0, true, 0)));
        List<Long> expected = new ArrayList<>();
        for (long id = 0; id < 20; id++) {
            submit(single, id, prompt((int) id % 3, 40), ignoringEos(2));
            expected.add(id);
        }
        single.drain();
        assertThat(single.listener.startOrder()).isEqualTo(expected);
    }

    @Test
    void longestPrefixMatchTakesCachedPromptsFirst() {
        LoopFixture single = new LoopFixture(FakeParts.of(config(1000, 100, 1, true)));
        submit(single, 100, prompt(2, 40), ignoringEos(1));
        single.drain();
        submit(single, 0, prompt(0, 40), ignoringEos(1));
        submit(single, 1, prompt(1, 40), ignoringEos(1));
        submit(single, 2, prompt(2, 40), ignoringEos(1));
        submit(single, 3, prompt(0, 41), ignoringEos(1)); // gains while the first one runs
        single.drain();
        assertThat(single.listener.startOrder()).containsExactly(100L, 2L, 0L, 3L, 1L);
    }

    @Test
    void nobodyStarvesUnderAHotPrefix() {
        LoopFixture single = new LoopFixture(FakeParts.of(config(1000, 100, 1, true)));
        submit(single, 0, prompt(0, 40), ignoringEos(1));
        single.drain();
        submit(single, 1, prompt(1, 40), ignoringEos(1)); // cold
        for (int id = 2; id < 1000; id++) {
            submit(single, id, prompt(0, 40), ignoringEos(1));
        }
        single.drain();
        assertThat(single.listener.startOrder().indexOf(1L)).isBetween(2, 513);
    }

    private static SchedulerConfig config(int numSlots, int contextLen, int maxRunning, boolean hasRadixCache) {
        return new SchedulerConfig(numSlots, contextLen, maxRunning, 512, 16_384, Policy.LPM, 1.0, hasRadixCache, 0);
    }

    private static void submit(LoopFixture to, long id, int[] prompt, SamplingParams params) {
        assertThat(to.session.submit(new GenerationRequest(id, prompt, params))).isTrue();
    }

    private static SamplingParams ignoringEos(int maxTokens) {
        return SamplingParams.builder()
                .temperature(0)
                .ignoreEos(true)
                .maxTokens(maxTokens)
                .build();
    }

    /** Tokens that differ from the first one on between topics. */
    private static int[] prompt(int topic, int len) {
        int[] prompt = new int[len];
        Arrays.setAll(prompt, i -> (topic * 131 + i * 7 + 1) % FakeParts.VOCAB_SIZE);
        return prompt;
    }

    private static List<Integer> expectedTokens(int[] prompt, int num) {
        int[] tokens = Arrays.copyOf(prompt, prompt.length + num);
        List<Integer> drawn = new ArrayList<>();
        for (int len = prompt.length; len < tokens.length; len++) {
            tokens[len] = FakeModel.nextToken(tokens, len, FakeParts.VOCAB_SIZE);
            drawn.add(tokens[len]);
        }
        return drawn;
    }

    private static String text(List<Integer> tokens) {
        StringBuilder text = new StringBuilder();
        for (int token : tokens) {
            text.append(token == FakeParts.EOS ? "" : "<" + token + "> ");
        }
        return text.toString();
    }
}
