package io.radixflow.job.cli;

import io.radixflow.bench.Round;
import io.radixflow.bench.WorkloadFile;
import io.radixflow.bench.WorkloadItem;
import io.radixflow.bench.Workloads;
import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineOptions;
import io.radixflow.job.UserException;
import io.radixflow.job.report.BenchReport;
import io.radixflow.job.report.ReportFile;
import io.radixflow.job.report.ReportHtml;
import io.radixflow.job.report.ReportText;
import io.radixflow.loop.Engines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.flink.configuration.Configuration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code bench}: runs a workload file against the engine and reports what it took. */
@Command(
        name = "bench",
        subcommands = BenchRoutingCommand.class,
        description = {
            "Run a workload file against the engine alone, and report throughput and latencies as text, JSON and a page with plots."
                    + " Measuring a whole Flink job comes later.",
            "All requests of a repeat start at once; later turns of a conversation follow without a pause. The prefix cache is flushed"
                    + " before each repeat. Times are the engine's: TTFT counts from submission, so waiting counts.",
            "With --device simulated nothing is computed: times come from --time-model, by default on a virtual clock, and every"
                    + " figure is labelled as simulated."
        })
final class BenchCommand implements Callable<Integer>, StartsEngine {

    private static final String WORKLOADS = "bench/workloads";
    private static final DateTimeFormatter FOLDER_NAME =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT).withZone(ZoneOffset.UTC);

    /** In which order the requests of a round arrive. */
    enum Order {
        /** As the workload file has it. */
        given,
        /** By token ids, which visits the tree of prefixes depth first: the offline optimum's order. */
        dfs
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--workload",
            paramLabel = "FILE|NAME",
            description =
                    "Workload file, or the name of one in bench/workloads: peers, small, shared-prefix-100k (default: small).")
    private String workload = "small";

    @Option(
            names = "--items",
            paramLabel = "NAMES",
            split = ",",
            description =
                    "Items of the file to run, such as w1-b8,w3; a name that is no item, such as w1, means all that begin with w1- (default: all).")
    private List<String> names = List.of();

    @Option(
            names = "--repeats",
            paramLabel = "N",
            description = "Repeats of each item; medians are shown (default: 1).")
    private int repeats = 1;

    @Option(
            names = "--warmup",
            paramLabel = "N",
            description = "Repeats before them whose figures are thrown away (default: 0).")
    private int warmup;

    @Option(
            names = "--order",
            paramLabel = "given|dfs",
            description = "Arrival order: the file's, or depth first through the tree of prefixes (default: given).")
    private Order order = Order.given;

    @Option(
            names = "--against",
            paramLabel = "FILE",
            description =
                    "Result file to set beside, such as those in bench/peers; may be repeated. Against one of Radixflow's own, of the"
                            + " same model, device and workload, what got slower is listed, and the exit status is 1 if it is beyond --tolerance.")
    private List<Path> against = List.of();

    @Option(
            names = "--tolerance",
            paramLabel = "SHARE",
            description =
                    "Share by which a time may be above that of Radixflow's own --against file, for rates the time of a token; then that"
                            + " file must be comparable (default: 0.03).")
    private @Nullable Double tolerance;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            description = "Folder for report.json and report.html (default: .cache/bench/<date>-<time>).")
    private @Nullable Path output;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (repeats < 1 || warmup < 0) {
            throw new UserException("--repeats takes 1 or more and --warmup 0 or more");
        }
        BenchGuard guard = new BenchGuard(against, tolerance);
        List<BenchReport> peers = guard.results();
        Path file = workloadFile(workload);
        Workloads workloads = WorkloadFile.read(file);
        List<WorkloadItem> items = chosen(workloads, file);
        EngineConfig config =
                EngineFlags.config(spec, new Configuration(), Map.of(EngineOptions.SIMULATED_CLOCK.name(), "virtual"));
        Instant start = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        Path folder = Files.createDirectories(
                output == null ? Home.cacheDir().resolve("bench").resolve(FOLDER_NAME.format(start)) : output);
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        BenchReport report;
        boolean isComplete;
        try (Engine engine = Engines.start(config);
                Shutdown shutdown = new Shutdown(engine)) {
            shutdown.arm();
            check(engine, workloads, items, file);
            guard.check(subject(config, engine), stem(file), items);
            BenchItems run = new BenchItems(engine, terminal, repeats, warmup, order);
            List<BenchReport.Item> figures = run.run(items);
            isComplete = run.isComplete();
            report = new BenchReport(
                    subject(config, engine),
                    stem(file),
                    start.toString(),
                    commandLine(),
                    machine(),
                    config.asMap(),
                    figures);
        }
        ReportText.lines(report, peers).forEach(terminal::line);
        boolean isSlower = guard.judge(report, terminal);
        ReportFile.write(report, folder.resolve("report.json"));
        Files.writeString(folder.resolve("report.html"), ReportHtml.page(report, peers));
        terminal.line("");
        terminal.line("written: " + folder.resolve("report.json") + " and " + folder.resolve("report.html"));
        if (!isComplete) {
            terminal.line("some requests did not get all their tokens; see 'completed' in report.json");
        }
        return isComplete && !isSlower ? Main.OK : Main.FAILED;
    }

    /** A file, or one of ours by its name. */
    static Path workloadFile(String workload) {
        Path path = Path.of(workload);
        return Files.exists(path) ? path : Home.dir().resolve(WORKLOADS).resolve(workload + ".json");
    }

    private static String stem(Path file) {
        return String.valueOf(file.getFileName()).replaceAll("\\.json$", "");
    }

    private List<WorkloadItem> chosen(Workloads workloads, Path file) {
        List<WorkloadItem> all = workloads.items();
        if (names.isEmpty()) {
            return all;
        }
        List<WorkloadItem> found = new ArrayList<>();
        for (String name : names) {
            boolean isItem = all.stream().anyMatch(item -> item.name().equals(name));
            List<WorkloadItem> matching = all.stream()
                    .filter(item ->
                            isItem ? item.name().equals(name) : item.name().startsWith(name + "-"))
                    .filter(item -> !found.contains(item))
                    .toList();
            if (matching.isEmpty()
                    && found.stream().noneMatch(item -> item.name().startsWith(name))) {
                throw new UserException("--items: " + file + " has no item '" + name + "'; it has "
                        + all.stream().map(WorkloadItem::name).collect(Collectors.joining(", ")));
            }
            found.addAll(matching);
        }
        return found;
    }

    /** Before anything runs: whether the model has the workload's tokens and room for its longest sequence. */
    private static void check(Engine engine, Workloads workloads, List<WorkloadItem> items, Path file) {
        int vocabSize = engine.limits().vocabSize();
        if (workloads.maxTokenId() >= vocabSize) {
            throw new UserException(file + " has token ids up to " + workloads.maxTokenId() + ", the model knows 0 to "
                    + (vocabSize - 1) + "; take --workload small or another model");
        }
        int room = engine.limits().maxSequenceLen();
        for (WorkloadItem item : items) {
            for (Round round : item.rounds().apply(0)) {
                if (round.maxSequenceLen() > room) {
                    throw new UserException("item " + item.name() + " has sequences of " + round.maxSequenceLen()
                            + " tokens, the engine has room for " + room
                            + "; raise --context-length or --max-total-tokens, or choose other --items");
                }
            }
        }
    }

    private static BenchReport.Subject subject(EngineConfig config, Engine engine) {
        String model = config.find(EngineOptions.SERVED_MODEL_NAME)
                .orElseGet(() -> stem(Path.of(config.find(EngineOptions.MODEL_PATH)
                                .or(() -> config.find(EngineOptions.TIME_MODEL))
                                .orElseThrow()))
                        .replaceAll("\\.gguf$", ""));
        return new BenchReport.Subject(
                BenchGuard.ENGINE,
                Version.number(),
                model,
                engine.device().description(),
                engine.device().isSimulated());
    }

    private String commandLine() {
        return "scripts/radixflow "
                + String.join(" ", spec.commandLine().getParseResult().originalArgs());
    }

    static String machine() {
        return Runtime.getRuntime().availableProcessors() + " processors, "
                + Runtime.getRuntime().maxMemory() / (1 << 20) + " MiB Java heap, Java " + Runtime.version();
    }
}
