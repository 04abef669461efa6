package io.radixflow.job.cli;

import io.radixflow.job.models.FetchProgress;

/** Shows a fetch: one changing line on a terminal, a line a phase and a quarter elsewhere. */
final class ByteProgress implements FetchProgress {

    private static final long MIB = 1 << 20;
    private static final int BAR_WIDTH = 30;

    private final Terminal terminal;
    private final String name;
    private String phase = "";
    private long totalBytes = 1;
    private int quartersShown;

    ByteProgress(Terminal terminal, String name) {
        this.terminal = terminal;
        this.name = name;
    }

    @Override
    public void phase(String what, long expectedBytes) {
        phase = what;
        totalBytes = Math.max(1, expectedBytes);
        quartersShown = 0;
        if (!terminal.isInteractive()) {
            terminal.line(phase + " " + name + " (" + totalBytes / MIB + " MiB)");
        }
    }

    @Override
    public void resumed(int doneParts, int numParts) {
        terminal.line(doneParts + " of " + numParts + " packages of " + name + " are here from an earlier fetch");
    }

    @Override
    public void advance(long doneBytes) {
        double share = Math.min(1, (double) doneBytes / totalBytes);
        if (terminal.isInteractive()) {
            int filled = (int) Math.round(share * BAR_WIDTH);
            terminal.status(String.format(
                    "%-11s %s [%s%s] %3.0f %%  %d/%d MiB",
                    phase,
                    name,
                    "#".repeat(filled),
                    "-".repeat(BAR_WIDTH - filled),
                    100 * share,
                    Math.min(doneBytes, totalBytes) / MIB,
                    totalBytes / MIB));
        } else if ((int) (share * 4) > quartersShown && share < 1) {
            quartersShown = (int) (share * 4);
            terminal.line("  " + 25 * quartersShown + " %");
        }
    }
}
