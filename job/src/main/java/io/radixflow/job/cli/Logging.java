package io.radixflow.job.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Sets the properties that {@code log4j2.xml} reads. Must run before the first logger exists, so it looks at the raw
 * arguments.
 */
final class Logging {

    static final String LEVEL_OPTION = "--log-level";

    /** Least level that is logged, spelled as on the command line. */
    enum Level {
        debug,
        info,
        warn,
        error
    }

    private static final String LEVEL_PROPERTY = "radixflow.log.level";
    private static final String CONSOLE_PROPERTY = "radixflow.log.console";

    private Logging() {}

    /** The level goes to the file; the console shows it only for the long-running {@code stream}, else warnings. */
    static void configure(String[] arguments) {
        List<String> given = Arrays.asList(arguments);
        String level = levelIn(given);
        if (level != null) {
            System.setProperty(LEVEL_PROPERTY, level);
        }
        boolean isLongRunning = given.contains("stream");
        System.setProperty(CONSOLE_PROPERTY, level != null ? level : isLongRunning ? "info" : "warn");
    }

    private static @Nullable String levelIn(List<String> arguments) {
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (argument.startsWith(LEVEL_OPTION + "=")) {
                return argument.substring(LEVEL_OPTION.length() + 1).toLowerCase(Locale.ROOT);
            }
            if (argument.equals(LEVEL_OPTION) && i + 1 < arguments.size()) {
                return arguments.get(i + 1).toLowerCase(Locale.ROOT);
            }
        }
        return null;
    }
}
