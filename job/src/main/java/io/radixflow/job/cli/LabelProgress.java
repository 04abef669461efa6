package io.radixflow.job.cli;

import io.radixflow.job.pipeline.RunningJob;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/** How far a labelling run has come: a bar with the time left on a terminal, a line now and then elsewhere. */
final class LabelProgress {

    private static final int BAR_WIDTH = 30;
    private static final int LOOK_MILLIS = 500;
    private static final long LINE_NANOS = TimeUnit.SECONDS.toNanos(15);
    private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final Terminal terminal;
    private final String label;
    private final long startNanos = System.nanoTime();
    private final Deque<Look> looks = new ArrayDeque<>();
    private long numRows;
    private long numEarlier;

    /** Counts at a moment. */
    private record Look(long nanos, LabelCounts counts) {}

    /** @param isSimulated whether the times are a model's; figures are labelled then */
    LabelProgress(Terminal terminal, boolean isSimulated) {
        this.terminal = terminal;
        label = isSimulated ? "simulated " : "";
    }

    /**
     * @param rows in the input
     * @param earlier how many of them were finished before the job that is shown began
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

    /** Shows the job's counts until it ends, and has the sampler look too. */
    void follow(RunningJob job, LabelSampler sampler) throws InterruptedException {
        long lastLine = System.nanoTime();
        while (!job.isDone()) {
            Thread.sleep(LOOK_MILLIS);
            long now = System.nanoTime();
            look(new Look(now, LabelCounts.of(job)));
            sampler.look();
            if (terminal.isInteractive()) {
                terminal.status(bar());
            } else if (now - lastLine > LINE_NANOS) {
                lastLine = now;
                terminal.line(bar());
            }
        }
        terminal.status("");
    }

    double seconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }

    /** The closing lines. */
    void summary(LabelCounts counts, double seconds, Path outputDir) {
        terminal.line(String.format("%-22s%d of %d", "rows answered", counts.answers(), numRows - numEarlier));
        terminal.line(String.format("%-22s%d", "dead letters", counts.deadLetters()));
        terminal.line(String.format("%-22s%d", "prompt tokens", counts.promptTokens()));
        terminal.line(String.format("%-22s%d", "generated tokens", counts.generatedTokens()));
        terminal.line(String.format(
                "%-22s%.1f tok/s generated", label + "throughput", counts.generatedSinceStart() / seconds));
        terminal.line(String.format("%-22s%.1f %%", "prefix-cache hit rate", 100 * counts.hitRate()));
        terminal.line(String.format("%-22s%.1f s", label + "time", seconds));
        terminal.line(String.format("%-22s%s", "output", outputDir));
    }

    /** Keeps the looks of the last minute; a restart of the job's tasks begins them anew, since it takes counts back. */
    private void look(Look now) {
        Look last = looks.peekLast();
        if (last != null && now.counts.rowsSinceStart() < last.counts.rowsSinceStart()) {
            looks.clear();
        }
        looks.addLast(now);
        while (looks.size() > 2 && now.nanos - looks.getFirst().nanos > WINDOW_NANOS) {
            looks.removeFirst();
        }
    }

    private String bar() {
        Look first = looks.getFirst();
        Look last = looks.getLast();
        long done = last.counts.rows();
        long all = numRows - numEarlier;
        double share = Math.min(1, (double) done / all);
        int filled = (int) (share * BAR_WIDTH);
        double seconds = (last.nanos - first.nanos) / 1e9;
        long rows = last.counts.rowsSinceStart() - first.counts.rowsSinceStart();
        long tokens = last.counts.generatedSinceStart() - first.counts.generatedSinceStart();
        return String.format(
                "[%s%s] %s%d/%d  %.1f tok/s  hit rate %.0f %%  %s",
                "#".repeat(filled),
                "-".repeat(BAR_WIDTH - filled),
                label,
                done,
                all,
                seconds == 0 ? 0 : tokens / seconds,
                100 * last.counts.hitRate(),
                rows <= 0 ? "starting" : "about " + human(seconds * (all - done) / rows) + " left");
    }

    /** A time for people, such as {@code 3 min 20 s}. */
    static String human(double seconds) {
        Duration d = Duration.ofSeconds(Math.round(seconds));
        return d.toHours() > 0
                ? d.toHours() + " h " + d.toMinutesPart() + " min"
                : d.toMinutes() > 0 ? d.toMinutes() + " min " + d.toSecondsPart() + " s" : d.toSeconds() + " s";
    }
}
