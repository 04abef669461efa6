package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.EngineConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bounds that routing must keep, on small workloads; {@code bench routing} shows larger ones. */
class RoutingSimulationTest {

    private static final Map<String, String> OPTIONS = Map.of(
            "device",
            "simulated",
            "time-model",
            Path.of("")
                    .toAbsolutePath()
                    .resolveSibling("bench/time-models/h100-qwen3-8b.json")
                    .toString(),
            "max-running-requests",
            "32",
            "chunked-prefill-size",
            "1024");
    private static final EngineConfig CONFIG = EngineConfig.of(OPTIONS);

    @ParameterizedTest
    @ValueSource(ints = {4, 16})
    void keepsHitsAndBalanceOnShuffledSharedPrefixes(int numEngines) {
        List<RoutingSimulation.Request> requests = requests(128, 16, 256, 32);
        RoutingFigures single = run(RoutingPolicy.PREFIX, 1, requests);
        RoutingFigures ours = run(RoutingPolicy.PREFIX, numEngines, requests);
        RoutingFigures random = run(RoutingPolicy.RANDOM, numEngines, requests);

        assertThat(ours.hitRate()).isGreaterThanOrEqualTo(0.9 * single.hitRate());
        assertThat(ours.maxOverMeanLoad()).isLessThanOrEqualTo(1.3);
        assertThat(ours.totalPrefillTokens()).isLessThan(random.totalPrefillTokens());
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 16})
    void spreadsOneHotPrefixEvenly(int numEngines) {
        List<RoutingSimulation.Request> requests = requests(1, 2048, 256, 32);
        RoutingFigures single = run(RoutingPolicy.PREFIX, 1, requests);
        RoutingFigures ours = run(RoutingPolicy.PREFIX, numEngines, requests);
        RoutingFigures keyHash = run(RoutingPolicy.KEY_HASH, numEngines, requests);

        assertThat(ours.hitRate()).isGreaterThanOrEqualTo(0.9 * single.hitRate());
        assertThat(ours.maxOverMeanLoad()).isLessThanOrEqualTo(1.3);
        assertThat(keyHash.maxOverMeanLoad()).isEqualTo(numEngines);
    }

    @Test
    void givesTheSameFiguresAgain() {
        List<RoutingSimulation.Request> requests = requests(16, 16, 128, 32);
        assertThat(run(RoutingPolicy.PREFIX, 4, requests))
                .usingRecursiveComparison()
                .isEqualTo(run(RoutingPolicy.PREFIX, 4, requests));
    }

    @Test
    void computesHardlyMoreThanTheOptimumInWholeInputOrder() {
        List<RoutingSimulation.Request> requests = requests(64, 16, 256, 32);
        long least = 64 * 256 + 64 * 16 * 32;
        RoutingFigures ours = run(RoutingPolicy.WHOLE_INPUT, 4, requests);

        assertThat(ours.totalPrefillTokens()).isBetween(least, (long) (1.05 * least));
        assertThat(ours.maxOverMeanLoad()).isLessThanOrEqualTo(1.3);
    }

    @Test
    void hitsNearlyAllThereIsWithATenthOfTheWorkingSetAsPool() {
        List<RoutingSimulation.Request> requests = requests(64, 16, 256, 32);
        long least = 64 * 256 + 64 * 16 * 32;
        double best = 1 - (double) least / (64 * 16 * 288);
        Map<String, String> options = new HashMap<>(OPTIONS);
        options.put("max-total-tokens", Long.toString(least / 10));
        options.put("radix-eviction-policy", "known-uses");
        EngineConfig small = EngineConfig.of(options);

        assertThat(run(small, RoutingPolicy.WHOLE_INPUT, 4, requests).hitRate()).isGreaterThanOrEqualTo(0.98 * best);
        assertThat(run(small, RoutingPolicy.ROUND_ROBIN, 4, requests).hitRate()).isLessThan(0.9 * best);
    }

    private static RoutingFigures run(RoutingPolicy policy, int numEngines, List<RoutingSimulation.Request> requests) {
        return run(CONFIG, policy, numEngines, requests);
    }

    private static RoutingFigures run(
            EngineConfig config, RoutingPolicy policy, int numEngines, List<RoutingSimulation.Request> requests) {
        return RoutingSimulation.run(new RoutingSimulation.Settings(config, policy, numEngines, 4, 64), requests);
    }

    /** Groups that share a prefix, shuffled. */
    private static List<RoutingSimulation.Request> requests(int groups, int perGroup, int prefixLen, int ownLen) {
        Random random = new Random(5);
        List<RoutingSimulation.Request> requests = new ArrayList<>();
        for (int g = 0; g < groups; g++) {
            int[] prefix = random.ints(prefixLen, 1000, 150_000).toArray();
            for (int i = 0; i < perGroup; i++) {
                int[] tokens = Arrays.copyOf(prefix, prefixLen + ownLen);
                for (int at = prefixLen; at < tokens.length; at++) {
                    tokens[at] = random.nextInt(1000, 150_000);
                }
                requests.add(new RoutingSimulation.Request(tokens, 16));
            }
        }
        Collections.shuffle(requests, random);
        return requests;
    }
}
