package io.radixflow.testkit;

import java.util.Collection;
import java.util.Locale;
import java.util.Objects;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs the JMH benches whose names match a pattern, after those of {@code LimitsBench}, and prints each one's share of the limits: of the
 * fp32 multiply-add peak and of the read bandwidth of memory, both of one core in the same run.
 *
 * <p>Rates are by processor time, and those of the best iteration: a neighbour on the machine can only slow one down. Small working sets stay in caches, whose
 * bandwidth is above that of memory.
 */
public final class BenchRunner {

    private static final String LIMITS = "LimitsBench";
    private static final double GIGA = 1e9;

    private BenchRunner() {}

    /** Arguments: a pattern of bench names, all benches without one; then the number of iterations of a second, 5 if left out. */
    public static void main(String[] args) throws RunnerException {
        String pattern = args.length > 0 ? args[0] : "Bench";
        int iterations = args.length > 1 ? Integer.parseInt(args[1]) : 5;
        Collection<RunResult> limits = run(LIMITS, iterations);
        double peakFlops = 0;
        double peakBytes = 0;
        for (RunResult limit : limits) {
            peakFlops = Math.max(peakFlops, best(limit, "flops"));
            peakBytes = Math.max(peakBytes, best(limit, "bytes"));
        }
        Collection<RunResult> results = run("^(?!.*" + LIMITS + ").*" + pattern, iterations);
        System.out.printf(
                Locale.ROOT,
                "%nLimits of one core: %.0f GFLOP/s of fp32 multiply-adds, %.1f GB/s read from memory.%n%n",
                peakFlops / GIGA,
                peakBytes / GIGA);
        System.out.println("| bench | us a call | GFLOP/s | share of peak | GB/s | share of memory |");
        System.out.println("| --- | --- | --- | --- | --- | --- |");
        for (RunResult result : results) {
            print(result, peakFlops, peakBytes);
        }
    }

    private static Collection<RunResult> run(String pattern, int iterations) throws RunnerException {
        Options options = new OptionsBuilder()
                .include(pattern)
                .forks(1)
                .warmupIterations(iterations)
                .warmupTime(TimeValue.seconds(1))
                .measurementIterations(iterations)
                .measurementTime(TimeValue.seconds(1))
                .shouldFailOnError(true)
                .build();
        return new Runner(options).run();
    }

    private static void print(RunResult result, double peakFlops, double peakBytes) {
        double flops = best(result, "flops");
        double bytes = best(result, "bytes");
        System.out.printf(
                Locale.ROOT,
                "| %s | %.2f | %s | %s | %s | %s |%n",
                name(result.getParams()),
                1e6 / best(result, "calls"),
                flops == 0 ? "" : String.format(Locale.ROOT, "%.1f", flops / GIGA),
                flops == 0 ? "" : String.format(Locale.ROOT, "%.0f %%", 100 * flops / peakFlops),
                bytes == 0 ? "" : String.format(Locale.ROOT, "%.1f", bytes / GIGA),
                bytes == 0 ? "" : String.format(Locale.ROOT, "%.0f %%", 100 * bytes / peakBytes));
    }

    private static String name(BenchmarkParams params) {
        StringBuilder name = new StringBuilder(params.getBenchmark().replaceAll(".*\\.(\\w+\\.\\w+)$", "$1"));
        for (String key : params.getParamsKeys()) {
            name.append(' ').append(key).append('=').append(params.getParam(key));
        }
        return name.toString();
    }

    /** Highest rate of an iteration, by processor time, of a counter of {@link Work}. */
    private static double best(RunResult result, String counter) {
        double best = 0;
        for (BenchmarkResult fork : result.getBenchmarkResults()) {
            for (IterationResult iteration : fork.getIterationResults()) {
                best = Math.max(best, rate(iteration, counter) / rate(iteration, "processorSeconds"));
            }
        }
        return best;
    }

    private static double rate(IterationResult iteration, String counter) {
        return Objects.requireNonNull(iteration.getSecondaryResults().get(counter), counter)
                .getScore();
    }
}
