package io.radixflow.job.cli;

import java.io.PrintWriter;

/** Where a command prints: knows whether somebody watches, and keeps one line of progress below what is printed. */
final class Terminal {

    private static final String CLEAR_LINE = "\r\u001b[2K";

    private final PrintWriter out;
    private final boolean isInteractive;
    private String status = "";

    Terminal(PrintWriter out, boolean isInteractive) {
        this.out = out;
        this.isInteractive = isInteractive;
    }

    /** Interactive if the launcher says that standard output is a terminal. */
    static Terminal of(PrintWriter out) {
        return new Terminal(out, Boolean.getBoolean("radixflow.terminal"));
    }

    boolean isInteractive() {
        return isInteractive;
    }

    /** Prints a line; a progress line stays below it. */
    synchronized void line(String text) {
        out.println((isInteractive && !status.isEmpty() ? CLEAR_LINE : "") + text);
        if (isInteractive && !status.isEmpty()) {
            out.print(status);
        }
        out.flush();
    }

    /** Replaces the progress line; shown on a terminal only. */
    synchronized void status(String text) {
        if (isInteractive) {
            out.print(CLEAR_LINE + text);
            out.flush();
            status = text;
        }
    }

    /** Text in grey on a terminal. */
    String faint(String text) {
        return isInteractive ? "\u001b[2m" + text + "\u001b[0m" : text;
    }

    /** Text in bold on a terminal. */
    String bold(String text) {
        return isInteractive ? "\u001b[1m" + text + "\u001b[0m" : text;
    }
}
