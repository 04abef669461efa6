package io.radixflow.job.cli;

import io.radixflow.testkit.TinyModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What {@code scripts/chaos.sh} runs. Prints a report in Markdown; status 1 if a promise was not kept. */
@Command(
        name = "chaos.sh",
        description =
                "Answer records on a real cluster while its processes are killed with kill -9, and check what came out.",
        mixinStandardHelpOptions = true)
final class ChaosCommand implements Callable<Integer> {

    private static final double MOST_EXCESS = 0.01;

    @Option(names = "--records", description = "Default: ${DEFAULT-VALUE}.")
    private int numRecords = 10_000;

    @Option(names = "--kills", description = "Default: ${DEFAULT-VALUE}.")
    private int numKills = 20;

    @Option(
            names = "--pause",
            split = ",",
            description = "Shortest and longest seconds of work between kills (default: 0,1).")
    private List<Integer> pauses = List.of(0, 1);

    @Option(names = "--max-tokens", description = "Of the longest answer (default: ${DEFAULT-VALUE}).")
    private int maxTokens = 96;

    @Option(names = "--seed", description = "Of victims, moments and records (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(
            names = "--victims",
            split = ",",
            description = "Processes to choose from (default: TaskManagers, broker, JobManager).")
    private List<String> victims = Chaos.taskManagersAnd(2, "kafka", "jobmanager");

    @Option(names = "--model-path", description = "Real weights on the CPU (default: a simulated device).")
    private @Nullable String model;

    @Option(names = "--max-running-requests", description = "Default: ${DEFAULT-VALUE}.")
    private int maxRunning = 12; // slow enough that 10,000 records outlast 20 kills

    @Option(names = "--keep", description = "Keep the cluster's folder, with its logs.")
    private boolean isKeeping;

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new ChaosCommand()).execute(arguments));
    }

    @Override
    public Integer call() throws Exception {
        Path dir = Files.createTempDirectory("radixflow-chaos-");
        List<String> job = new ArrayList<>(List.of(
                "stream",
                "--checkpoint-interval=1s",
                "--engine-keep-alive=300",
                "--max-running-requests=" + maxRunning));
        if (model == null) {
            job.addAll(List.of(
                    "--device=simulated",
                    "--time-model=" + Chaos.project().resolve("dist/src/test/resources/steady.json"),
                    "--model-path=" + TinyModel.gguf(TinyModel.F32, dir)));
        } else {
            job.addAll(List.of("--model-path=" + model, "--cpu-threads=1"));
        }
        Chaos.Options options = new Chaos.Options(
                numRecords, numKills, victims, pauses.get(0) * 1000, pauses.get(1) * 1000, maxTokens, true, seed);
        try (TestCluster cluster = TestCluster.start(
                dir.resolve("cluster"),
                2,
                "-D",
                "taskmanager.memory.task.heap.size=" + (model == null ? "512m" : "2g"))) {
            Chaos.Outcome outcome = new Chaos(cluster, options, job).run();
            report(outcome);
            return isKept(outcome) ? 0 : 1;
        } finally {
            if (isKeeping) {
                System.out.println("logs in " + dir);
            }
        }
    }

    private boolean isKept(Chaos.Outcome outcome) {
        return outcome.numAnswers() == numRecords
                && outcome.repeated().isEmpty()
                && outcome.deadLetters().isEmpty()
                && outcome.differences().isEmpty()
                && outcome.unknownRestores().isEmpty()
                && outcome.excess() <= MOST_EXCESS;
    }

    private void report(Chaos.Outcome outcome) {
        System.out.printf(Locale.ROOT, "%n# Chaos, %s%n%n", LocalDate.now(ZoneOffset.UTC));
        line("device", model == null ? "simulated, real clock" : model + " on the CPU");
        line("records, kills, seed", numRecords + ", " + numKills + ", " + seed);
        line("answers for committed readers", Integer.toString(outcome.numAnswers()));
        line("custom_ids more than once", Integer.toString(outcome.repeated().size()));
        line("dead letters", Integer.toString(outcome.deadLetters().size()));
        line(
                "texts unlike those of the unbroken run",
                Integer.toString(outcome.differences().size()));
        line("seconds, unbroken and disturbed", round(outcome.plainSeconds()) + ", " + round(outcome.seconds()));
        line("restarts from a checkpoint", Integer.toString(outcome.numRestores()));
        line("tokens in answers", Long.toString(outcome.answerTokens()));
        line("tokens computed", Long.toString(outcome.computedTokens()));
        line(
                "computed twice",
                outcome.computedTwice() + " (" + percent((double) outcome.computedTwice() / outcome.answerTokens())
                        + ")");
        line("of these between checkpoint and restart", Long.toString(outcome.tokensBetweenCheckpoints()));
        line("beyond that", percent(outcome.excess()));
        System.out.printf(
                "%n| at s | killed | longest time without a token until the next kill, s |%n| --- | --- | --- |%n");
        for (Chaos.Kill kill : outcome.kills()) {
            System.out.printf(
                    Locale.ROOT,
                    "| %.1f | %s | %.1f |%n",
                    kill.atMillis() / 1e3,
                    kill.victim(),
                    kill.pauseMillis() / 1e3);
        }
        System.out.printf("%n%s%n", isKept(outcome) ? "All promises kept." : "A PROMISE WAS BROKEN.");
        System.out.println(outcome.differences().isEmpty() ? "" : "differing: " + outcome.differences());
        System.out.println(
                outcome.unknownRestores().isEmpty() ? "" : "unseen checkpoints: " + outcome.unknownRestores());
    }

    private static void line(String what, String value) {
        System.out.printf("- %s: %s%n", what, value);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f %%", 100 * share);
    }

    private static String round(double seconds) {
        return String.format(Locale.ROOT, "%.0f", seconds);
    }
}
