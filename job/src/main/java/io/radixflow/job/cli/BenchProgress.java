package io.radixflow.job.cli;

import io.radixflow.bench.Round;
import io.radixflow.bench.WorkloadItem;
import java.util.List;

/** How far a bench has come: a bar with the time left on a terminal, a line for each item elsewhere. Counts prompt and output tokens. */
final class BenchProgress {

    private static final int BAR_WIDTH = 30;

    private final Terminal terminal;
    private final long startNanos = System.nanoTime();
    private final long totalTokens;
    private long doneTokens;
    private String item = "";

    BenchProgress(Terminal terminal, List<WorkloadItem> items, int runs) {
        this.terminal = terminal;
        long sum = 0;
        for (WorkloadItem each : items) {
            for (Round round : each.rounds().apply(0)) {
                sum += runs * tokens(round);
            }
        }
        totalTokens = Math.max(1, sum);
    }

    private static long tokens(Round round) {
        return round.numPromptTokens() + round.numOutputTokens();
    }

    void start(String name) {
        item = name;
        if (terminal.isInteractive()) {
            show(0);
        } else {
            terminal.line("running " + name);
        }
    }

    /** A round is over. */
    void add(Round round) {
        doneTokens += tokens(round);
    }

    /** @param roundTokens done in the round that runs */
    void show(long roundTokens) {
        long done = doneTokens + roundTokens;
        double share = Math.min(1, (double) done / totalTokens);
        int filled = (int) (share * BAR_WIDTH);
        double seconds = (System.nanoTime() - startNanos) / 1e9;
        terminal.status(String.format(
                "[%s%s] %3.0f %%  %s  %s",
                "#".repeat(filled),
                "-".repeat(BAR_WIDTH - filled),
                100 * share,
                item,
                done == 0 ? "starting" : "about " + LabelProgress.human(seconds * (1 - share) / share) + " left"));
    }

    void end() {
        terminal.status("");
    }
}
