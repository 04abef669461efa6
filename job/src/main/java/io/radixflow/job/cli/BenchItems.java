package io.radixflow.job.cli;

import io.radixflow.bench.PrefixOptimum;
import io.radixflow.bench.Round;
import io.radixflow.bench.RoundFigures;
import io.radixflow.bench.RoundRun;
import io.radixflow.bench.Turn;
import io.radixflow.bench.WorkloadItem;
import io.radixflow.engine.Engine;
import io.radixflow.job.report.BenchReport;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Runs items of a workload, repeat by repeat, and gathers their figures. */
final class BenchItems {

    /** Streams of warm-up repeats, apart from those that are measured. */
    private static final int FIRST_WARMUP = 1000;

    private final Engine engine;
    private final Terminal terminal;
    private final int repeats;
    private final int warmup;
    private final BenchCommand.Order order;
    private boolean isComplete = true;

    BenchItems(Engine engine, Terminal terminal, int repeats, int warmup, BenchCommand.Order order) {
        this.engine = engine;
        this.terminal = terminal;
        this.repeats = repeats;
        this.warmup = warmup;
        this.order = order;
    }

    /** Whether all requests so far got all their tokens. */
    boolean isComplete() {
        return isComplete;
    }

    List<BenchReport.Item> run(List<WorkloadItem> items) throws InterruptedException {
        BenchProgress progress = new BenchProgress(terminal, items, warmup + repeats);
        List<BenchReport.Item> results = new ArrayList<>();
        for (WorkloadItem item : items) {
            progress.start(item.name());
            for (int i = 0; i < warmup; i++) {
                runOnce(item, FIRST_WARMUP + i, new TreeMap<>(), progress);
            }
            Map<String, List<RoundFigures>> byRound = new LinkedHashMap<>();
            for (int repeat = 0; repeat < repeats; repeat++) {
                runOnce(item, repeat, byRound, progress);
            }
            List<Round> rounds = arranged(item.rounds().apply(0));
            for (int i = 0; i < rounds.size(); i++) {
                List<RoundFigures> figures = byRound.get(rounds.get(i).name());
                if (figures != null) {
                    results.add(result(rounds.get(i), figures, i == 0));
                }
            }
        }
        progress.end();
        return results;
    }

    private void runOnce(WorkloadItem item, int repeat, Map<String, List<RoundFigures>> byRound, BenchProgress progress)
            throws InterruptedException {
        if (!engine.flushCache()) {
            throw new IllegalStateException("requests run although none was submitted");
        }
        for (Round round : arranged(item.rounds().apply(repeat))) {
            RoundFigures figures = RoundRun.run(engine, round, item.sampling(), progress::show);
            progress.add(round);
            isComplete &= figures.counts().completed() == round.numRequests();
            if (round.isMeasured()) {
                byRound.computeIfAbsent(round.name(), name -> new ArrayList<>()).add(figures);
            }
        }
    }

    private List<Round> arranged(List<Round> rounds) {
        if (order == BenchCommand.Order.given) {
            return rounds;
        }
        Comparator<List<Turn>> byTokens =
                (a, b) -> Arrays.compare(a.get(0).tokens(), b.get(0).tokens());
        return rounds.stream()
                .map(round -> new Round(
                        round.name(),
                        round.title(),
                        round.isMeasured(),
                        round.conversations().stream().sorted(byTokens).toList()))
                .toList();
    }

    /** @param isCold whether the round found an empty cache, for which the least possible prefill is known */
    private static BenchReport.Item result(Round round, List<RoundFigures> figures, boolean isCold) {
        List<Map<String, Double>> all = figures.stream().map(RoundFigures::keys).toList();
        Map<String, Double> median = new LinkedHashMap<>();
        for (String key : all.get(0).keySet()) {
            median.put(
                    key,
                    median(all.stream().map(keys -> keys.getOrDefault(key, 0.0)).toList()));
        }
        if (isCold) {
            median.put("optimal_prefill_tokens", (double) PrefixOptimum.prefillTokens(round));
        }
        return new BenchReport.Item(round.name(), round.title(), median, all, curves(figures.get(0)));
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    private static BenchReport.Curves curves(RoundFigures figures) {
        Map<String, double[]> percentiles = new LinkedHashMap<>();
        percentiles.put("ttft_ms", figures.ttft().percentiles());
        if (figures.itl().size() > 0) {
            percentiles.put("tpot_ms", figures.tpot().percentiles());
            percentiles.put("itl_ms", figures.itl().percentiles());
        }
        percentiles.put("e2e_latency_ms", figures.e2e().percentiles());
        return new BenchReport.Curves(percentiles, figures.seconds(), figures.outputRates(), figures.promptRates());
    }
}
