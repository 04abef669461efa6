package io.radixflow.job.cli;

import io.radixflow.engine.EngineException;
import io.radixflow.job.UserException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Entry of every command. Whatever the user can put right ends in one line and status 2; a defect of ours in one line and
 * status 1. Stack traces are shown with {@code --debug} only.
 */
@Command(
        name = "radixflow",
        description = "Large language models over streams and data sets, inside Apache Flink.",
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "SUBCOMMAND",
        usageHelpAutoWidth = true,
        sortOptions = false,
        subcommands = {
            StreamCommand.class,
            LabelCommand.class,
            GenerateCommand.class,
            BenchCommand.class,
            QuickstartCommand.class,
            ClusterCommand.class,
            ModelCommand.class,
            TopicCommand.class
        })
public final class Main implements Runnable {

    static final int OK = 0;
    static final int FAILED = 1;
    static final int WRONG_USE = 2;

    @CommandLine.Mixin
    private final GlobalOptions global = new GlobalOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before any command runs
    private CommandSpec spec;

    /** Runs one command and ends the JVM with its status, unless the JVM is Flink's. */
    public static void main(String[] arguments) {
        if (isRunByFlink()) {
            runInFlink(arguments);
            return;
        }
        Logging.configure(arguments);
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
        int status = commandLine(out, err).execute(arguments);
        out.flush();
        err.flush();
        System.exit(status);
    }

    /** Flink loads a job's jar with a class loader of its own, in its client or in the JobManager. */
    private static boolean isRunByFlink() {
        return Main.class.getClassLoader() != ClassLoader.getSystemClassLoader();
    }

    /** Submits the job; a failure is for Flink to report to whoever submitted it, and the JVM lives on. */
    private static void runInFlink(String[] arguments) {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream err = new PrintStream(said, true, StandardCharsets.UTF_8);
        int status = commandLine(System.out, err).execute(arguments);
        if (status != OK) {
            throw new UserException(
                    said.toString(StandardCharsets.UTF_8).strip().replaceFirst("^radixflow: ", ""));
        }
    }

    /** The whole command line, writing to the given streams. */
    static CommandLine commandLine(PrintStream out, PrintStream err) {
        CommandLine commandLine = new CommandLine(new Main());
        commandLine.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
        commandLine.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
        commandLine.getSubcommands().values().stream()
                .flatMap(command -> Stream.concat(Stream.of(command), command.getSubcommands().values().stream()))
                .filter(command -> command.getCommand() instanceof StartsEngine)
                .forEach(command -> EngineFlags.addTo(command.getCommandSpec()));
        commandLine.registerConverter(Duration.class, new Durations());
        commandLine.getSubcommands().values().stream()
                .flatMap(command -> command.getSubcommands().values().stream())
                .filter(command -> command.getCommand() instanceof ClusterSubmitCommand)
                .forEach(submit -> submit.setStopAtPositional(true)); // what follows the job's name are the job's flags
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setParameterExceptionHandler(Main::onWrongArguments);
        commandLine.setExecutionExceptionHandler((exception, command, result) -> onFailure(exception, command));
        return commandLine;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a subcommand is missing; known are " + subcommands(spec));
    }

    boolean isDebug() {
        return global.isDebug();
    }

    private static int onWrongArguments(ParameterException exception, String[] arguments) {
        CommandLine command = exception.getCommandLine();
        String message = exception.getMessage();
        if (exception instanceof UnmatchedArgumentException unmatched) {
            String first = unmatched.getUnmatched().get(0);
            if (first.startsWith("-")) {
                message = "unknown option " + first;
            } else if (!command.getSubcommands().isEmpty()) {
                message = "unknown subcommand '" + first + "'; known are " + subcommands(command.getCommandSpec());
            } else {
                message = "unexpected argument '" + first + "'";
            }
        }
        String name = command.getCommandSpec().qualifiedName();
        return report(command, exception, message + " (see " + name + " --help)", WRONG_USE);
    }

    private static int onFailure(Exception exception, CommandLine command) {
        for (Throwable cause = exception; cause != null; cause = cause.getCause()) {
            boolean isUsers = cause instanceof UserException
                    || (cause instanceof EngineException e && e.category() == EngineException.Category.CONFIGURATION);
            if (isUsers) {
                return report(command, exception, String.valueOf(cause.getMessage()), WRONG_USE);
            }
        }
        return report(command, exception, "failed: " + rootOf(exception) + " (--debug shows where)", FAILED);
    }

    private static int report(CommandLine command, Exception exception, String message, int status) {
        PrintWriter err = command.getErr();
        err.println("radixflow: " + message.strip().replaceAll("\\s*\\R\\s*", " "));
        if (GlobalOptions.isDebug(command)) {
            exception.printStackTrace(err);
        }
        err.flush();
        return status;
    }

    private static Throwable rootOf(Throwable exception) {
        Throwable root = exception;
        for (Throwable cause = exception.getCause(); cause != null; cause = cause.getCause()) {
            root = cause;
        }
        return root;
    }

    private static String subcommands(CommandSpec spec) {
        return String.join(", ", spec.subcommands().keySet());
    }
}
