package io.radixflow.job.cli;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineOption;
import io.radixflow.engine.EngineOptions;
import io.radixflow.job.UserException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * A job's command line as the JobManager gets it: checked here, where its author sees what is wrong, and with files named so
 * that they mean the same in a process with another working directory.
 *
 * @param texts the arguments of the job's main method
 * @param isHelpWanted whether it asks for help and nothing is to be run
 */
record SubmittedArguments(List<String> texts, boolean isHelpWanted) {

    private static final Set<String> JOBS = Set.of("stream", "label");
    private static final Set<String> EMBEDDED_ONLY = Set.of("--state-dir", "--dashboard-port");
    private static final String KAFKA_FLAG = "--bootstrap-servers";

    SubmittedArguments {
        texts = List.copyOf(texts);
    }

    /**
     * @param kafka the cluster's brokers, for a stream that names none
     * @param conf the cluster's configuration folder
     * @throws UserException if the arguments are no job's
     */
    static SubmittedArguments of(List<String> arguments, String kafka, Path conf) {
        String job = arguments.get(0);
        if (!JOBS.contains(job)) {
            throw new UserException("only stream and label run on a cluster, got '" + job + "'");
        }
        List<String> given = new ArrayList<>(arguments);
        boolean namesKafka =
                given.stream().anyMatch(text -> text.equals(KAFKA_FLAG) || text.startsWith(KAFKA_FLAG + "="));
        if (job.equals("stream") && !namesKafka) {
            given.add(1, KAFKA_FLAG + "=" + kafka);
        }
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        CommandLine line = Main.commandLine(nowhere, nowhere);
        ParseResult parsed;
        try {
            parsed = line.parseArgs(given.toArray(String[]::new)).subcommand();
        } catch (CommandLine.ParameterException e) {
            throw new UserException(e.getMessage() + " (see scripts/radixflow " + job + " --help)", e);
        }
        if (parsed.isUsageHelpRequested()) {
            return new SubmittedArguments(List.of(), true);
        }
        return new SubmittedArguments(rebuild(job, parsed, engine(parsed.commandSpec(), conf)), false);
    }

    private static EngineConfig engine(CommandSpec job, Path conf) {
        Configuration flink = GlobalConfiguration.loadConfiguration(conf.toString());
        return EngineFlags.config(job, flink);
    }

    private static List<String> rebuild(String job, ParseResult parsed, EngineConfig engine) {
        List<String> texts = new ArrayList<>(List.of(job));
        for (OptionSpec option : parsed.matchedOptionsSet()) {
            String name = option.longestName();
            if (EMBEDDED_ONLY.contains(name)) {
                throw new UserException(
                        name + " is for a job in a process of its own; on a cluster config.yaml says it");
            }
            if (option.originalStringValues().isEmpty()) {
                texts.add(name);
            }
            for (String value : option.originalStringValues()) {
                if (!name.startsWith("--")) {
                    texts.add(name);
                    texts.add(value);
                } else {
                    texts.add(name + "=" + (isFile(option) ? absolute(value) : value));
                }
            }
        }
        resolveEngineFiles(texts, engine);
        return texts;
    }

    /** Models go by name too; what they resolved to is what the cluster gets. */
    private static void resolveEngineFiles(List<String> texts, EngineConfig engine) {
        for (EngineOption<String> option : List.of(EngineOptions.MODEL_PATH, EngineOptions.TOKENIZER_PATH)) {
            String flag = "--" + option.name() + "=";
            texts.replaceAll(
                    text -> text.startsWith(flag) ? flag + engine.find(option).orElseThrow() : text);
        }
        for (EngineOption<?> option : EngineOptions.all()) {
            String flag = "--" + option.name() + "=";
            texts.replaceAll(text -> text.startsWith(flag) && isRelativeFile(text.substring(flag.length()))
                    ? flag + absolute(text.substring(flag.length()))
                    : text);
        }
    }

    private static boolean isRelativeFile(String text) {
        return text.contains("/") && !text.startsWith("/") && Files.exists(Path.of(text));
    }

    private static boolean isFile(ArgSpec option) {
        return option.type() == Path.class
                || (option.auxiliaryTypes().length > 0 && option.auxiliaryTypes()[0] == Path.class);
    }

    private static String absolute(String path) {
        return Path.of(path).toAbsolutePath().normalize().toString();
    }
}
