package io.radixflow.job.cli;

import io.radixflow.job.pipeline.LabelJob;
import io.radixflow.job.pipeline.RunningJob;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** How far a labelling run has come: a bar with the time left on a terminal, a line now and then elsewhere. */
final class LabelProgress {

    private static final int BAR_WIDTH = 30;
    private static final int LOOK_MILLIS = 500;
    private static final long LINE_NANOS = TimeUnit.SECONDS.toNanos(15);

    private final Terminal terminal;
    private final String label;
    private final long startNanos = System.nanoTime();
    private long numRows;
    private long numEarlier;

    /** @param isSimulated whether the times are a model's; figures are labelled then */
    LabelProgress(Terminal terminal, boolean isSimulated) {
        this.terminal = terminal;
        label = isSimulated ? "simulated " : "";
    }

    /**
     * @param rows in the input
     * @param earlier how many of them earlier runs have answered
     */
    void start(long rows, long earlier) {
        numRows = rows;
        numEarlier = Math.min(rows, earlier);
        terminal.line(rows + " rows" + (earlier == 0 ? "" : ", " + numEarlier + " answered by an earlier run"));
        if (isNothingLeft()) {
            terminal.line("nothing is left to do");
        }
    }

    boolean isNothingLeft() {
        return numEarlier >= numRows;
    }

    void line(String text) {
        terminal.line(text);
    }

    /** Shows the job's counts until it ends. */
    void follow(RunningJob job) throws InterruptedException {
        long lastLine = System.nanoTime();
        while (!job.isDone()) {
            Thread.sleep(LOOK_MILLIS);
            if (terminal.isInteractive()) {
                terminal.status(bar(job));
            } else if (System.nanoTime() - lastLine > LINE_NANOS) {
                lastLine = System.nanoTime();
                terminal.line(bar(job));
            }
        }
        terminal.status("");
    }

    /** The closing lines. */
    void summary(RunningJob job, Path outputDir) throws InterruptedException {
        double seconds = seconds();
        long generated = job.count(LabelJob.GENERATED_TOKENS);
        terminal.line(
                String.format("%-22s%d of %d", "rows answered", job.count(LabelJob.ANSWERS), numRows - numEarlier));
        terminal.line(String.format("%-22s%d", "dead letters", job.count(LabelJob.DEAD_LETTERS)));
        terminal.line(String.format("%-22s%d", "prompt tokens", job.count(LabelJob.PROMPT_TOKENS)));
        terminal.line(String.format("%-22s%d", "generated tokens", generated));
        terminal.line(String.format("%-22s%.1f tok/s generated", label + "throughput", generated / seconds));
        terminal.line(String.format("%-22s%.1f %%", "prefix-cache hit rate", 100 * hitRate(job)));
        terminal.line(String.format("%-22s%.1f s", label + "time", seconds));
        terminal.line(String.format("%-22s%s", "output", outputDir));
    }

    private String bar(RunningJob job) throws InterruptedException {
        long done = job.count(LabelJob.ANSWERS) + job.count(LabelJob.DEAD_LETTERS);
        long all = numRows - numEarlier;
        double share = Math.min(1, (double) done / all);
        int filled = (int) (share * BAR_WIDTH);
        return String.format(
                "[%s%s] %s%d/%d  %.1f tok/s  hit rate %.0f %%  %s",
                "#".repeat(filled),
                "-".repeat(BAR_WIDTH - filled),
                label,
                done,
                all,
                job.count(LabelJob.GENERATED_TOKENS) / seconds(),
                100 * hitRate(job),
                done == 0 ? "starting" : "about " + human(seconds() * (all - done) / done) + " left");
    }

    private static double hitRate(RunningJob job) throws InterruptedException {
        long prompt = job.count(LabelJob.PROMPT_TOKENS);
        return prompt == 0 ? 0 : (double) job.count(LabelJob.CACHED_TOKENS) / prompt;
    }

    /** A time for people, such as {@code 3 min 20 s}. */
    static String human(double seconds) {
        Duration d = Duration.ofSeconds(Math.round(seconds));
        return d.toHours() > 0
                ? d.toHours() + " h " + d.toMinutesPart() + " min"
                : d.toMinutes() > 0 ? d.toMinutes() + " min " + d.toSecondsPart() + " s" : d.toSeconds() + " s";
    }

    private double seconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }
}
