package io.radixflow.job.cli;

import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** Options that every command takes. {@link Logging} reads {@code --log-level} itself, before anything logs. */
final class GlobalOptions {

    private static final String DEBUG = "--debug";

    @Option(names = DEBUG, scope = ScopeType.INHERIT, description = "Show the stack trace of an error.")
    private boolean isDebug;

    @Option(
            names = Logging.LEVEL_OPTION,
            scope = ScopeType.INHERIT,
            paramLabel = "LEVEL",
            description = "Least level of Radixflow's log lines: debug, info, warn or error (default: info).")
    @SuppressWarnings("UnusedVariable") // here for the help and the check of the value
    private Logging.Level logLevel = Logging.Level.info;

    /** Whether the top command was given {@code --debug}, at whatever place in the line. */
    static boolean isDebug(CommandLine command) {
        CommandLine top = command;
        for (CommandLine parent = command.getParent(); parent != null; parent = parent.getParent()) {
            top = parent;
        }
        return top.getCommand() instanceof Main main && main.isDebug();
    }

    boolean isDebug() {
        return isDebug;
    }
}
