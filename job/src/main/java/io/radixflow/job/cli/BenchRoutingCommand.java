package io.radixflow.job.cli;

import io.radixflow.bench.PrefixOptimum;
import io.radixflow.bench.Round;
import io.radixflow.bench.Turn;
import io.radixflow.bench.WorkloadFile;
import io.radixflow.bench.WorkloadItem;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineOptions;
import io.radixflow.job.UserException;
import io.radixflow.operators.RoutingFigures;
import io.radixflow.operators.RoutingPolicy;
import io.radixflow.operators.RoutingSimulation;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.flink.configuration.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code bench routing}: how well requests are spread over several simulated engines. */
@Command(
        name = "routing",
        description = {
            "Spread workloads over several simulated engines as a job does, and in other ways beside it, and report cache hits, prefill"
                    + " tokens and loads. Nothing is computed and nothing is measured: times are the time model's.",
            "Of each workload the items without conversations are run (W2, W3, W4, W6)."
        })
final class BenchRoutingCommand implements Callable<Integer>, StartsEngine {

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--workload",
            paramLabel = "FILE|NAME",
            split = ",",
            description = "Workload files, or names of some in bench/workloads (default: routing,routing-hot).")
    private List<String> workloads = List.of("routing", "routing-hot");

    @Option(
            names = "--engines",
            paramLabel = "N",
            split = ",",
            description = "Numbers of engines to spread over (default: 4,16).")
    private List<Integer> engines = List.of(4, 16);

    @Option(
            names = "--routers",
            paramLabel = "N",
            description = "Subtasks that group and route; each has its share of the requests (default: 4).")
    private int routers = 4;

    @Option(
            names = "--prefix-window-records",
            paramLabel = "N",
            description = "Most records that a router sorts at once (default: 256).")
    private int windowRecords = 256;

    @Override
    public Integer call() {
        if (routers < 1 || windowRecords < 1 || engines.stream().anyMatch(num -> num < 1)) {
            throw new UserException("--engines, --routers and --prefix-window-records take 1 or more");
        }
        Map<String, String> defaults = Map.of(
                EngineOptions.DEVICE.name(),
                "simulated",
                EngineOptions.TIME_MODEL.name(),
                Home.dir().resolve("bench/time-models/h100-qwen3-8b.json").toString(),
                EngineOptions.MAX_RUNNING_REQUESTS.name(),
                "256");
        EngineConfig config = EngineFlags.config(spec, new Configuration(), defaults);
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        terminal.line("Simulated: no device is there, times are those of the time model.");
        terminal.line(row(
                "workload",
                "engines",
                "policy",
                "hit rate",
                "of single",
                "prefill tokens",
                "x least",
                "max/mean",
                "time s"));
        for (String workload : workloads) {
            for (WorkloadItem item :
                    WorkloadFile.read(BenchCommand.workloadFile(workload)).items()) {
                for (Round round : item.rounds().apply(0)) {
                    if (round.conversations().stream().allMatch(turns -> turns.size() == 1)) {
                        run(config, workload.equals("routing") ? round.name() : workload, round, terminal);
                    }
                }
            }
        }
        return Main.OK;
    }

    private void run(EngineConfig config, String name, Round round, Terminal terminal) {
        List<RoutingSimulation.Request> requests = new ArrayList<>();
        for (List<Turn> turns : round.conversations()) {
            requests.add(new RoutingSimulation.Request(
                    turns.get(0).tokens(), turns.get(0).outputLen()));
        }
        long least = PrefixOptimum.prefillTokens(round);
        RoutingFigures single = simulate(config, RoutingPolicy.PREFIX, 1, requests);
        terminal.line(row(name, 1, "(single)", single, single, least));
        for (int numEngines : engines) {
            for (RoutingPolicy policy : RoutingPolicy.values()) {
                RoutingFigures figures = simulate(config, policy, numEngines, requests);
                terminal.line(row(name, numEngines, policy.label(), figures, single, least));
            }
        }
    }

    private RoutingFigures simulate(
            EngineConfig config, RoutingPolicy policy, int numEngines, List<RoutingSimulation.Request> requests) {
        return RoutingSimulation.run(
                new RoutingSimulation.Settings(config, policy, numEngines, routers, windowRecords), requests);
    }

    private static String row(
            String name, int numEngines, String policy, RoutingFigures figures, RoutingFigures single, long least) {
        return row(
                name,
                numEngines,
                policy,
                percent(figures.hitRate()),
                percent(figures.hitRate() / single.hitRate()),
                String.format(Locale.ROOT, "%,d", figures.totalPrefillTokens()),
                String.format(Locale.ROOT, "%.3f", (double) figures.totalPrefillTokens() / least),
                String.format(Locale.ROOT, "%.2f", figures.maxOverMeanLoad()),
                String.format(Locale.ROOT, "%.1f", figures.durationNanos() / 1e9));
    }

    private static String row(Object... cells) {
        return String.format(Locale.ROOT, "%-12s %7s %-12s %8s %9s %14s %8s %8s %8s", cells);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }
}
