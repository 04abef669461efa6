package io.radixflow.job.cli;

import io.radixflow.engine.EngineConfig;
import io.radixflow.job.UserException;
import io.radixflow.job.pipeline.FinishedRows;
import io.radixflow.job.pipeline.JobEnvironment;
import io.radixflow.job.pipeline.LabelJob;
import io.radixflow.job.pipeline.RowsToRequests;
import io.radixflow.job.pipeline.RunningJob;
import io.radixflow.operators.ConfiguredEngineProvider;
import io.radixflow.schemas.RecordFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code label}: the bounded job, with progress; a second run computes only what the first did not finish. */
@Command(
        name = "label",
        description =
                "Answer each row of JSONL files into JSONL files; what is answered already is not computed again.")
final class LabelCommand implements Callable<Integer>, StartsEngine {

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    private final JobFlags jobFlags = new JobFlags();

    @Option(
            names = "--input",
            required = true,
            paramLabel = "PATH",
            description = "JSONL file, or folder of such; may be repeated.")
    private List<Path> inputs = List.of();

    @Option(
            names = "--output",
            required = true,
            paramLabel = "DIR",
            description = "Folder for answers and dead letters.")
    @SuppressWarnings("NullAway.Init") // picocli refuses a command line without it
    private Path outputDir;

    @Option(
            names = "--prompt-column",
            paramLabel = "FIELD",
            description = "Field of each row whose text is the prompt.")
    private @Nullable String promptColumn;

    @Option(
            names = "--prompt-template",
            paramLabel = "TEXT",
            description =
                    "Prompt with {field} placeholders. Without this and --prompt-column a row is a body or a Batch line itself.")
    private @Nullable String promptTemplate;

    @Option(
            names = "--defaults",
            paramLabel = "JSON",
            description =
                    "Fields for each request that does not have them, such as '{\"max_tokens\": 8, \"temperature\": 0}'.")
    private @Nullable String defaults;

    @Override
    public Integer call() throws Exception {
        if (jobFlags.format() != RecordFormat.JSON) {
            throw new UserException("label reads and writes JSONL in this version; --format avro is for stream");
        }
        Configuration flink = jobFlags.flink();
        List<Path> files = files();
        RowsToRequests requests = requests();
        EngineConfig engine = EngineFlags.config(spec, flink);
        Files.createDirectories(outputDir);
        ResourceStack resources = new ResourceStack();
        try (Shutdown shutdown = new Shutdown(resources)) {
            shutdown.arm();
            resources.add(OutputLock.take(outputDir));
            LabelProgress progress =
                    new LabelProgress(Terminal.of(spec.commandLine().getOut()), EngineFlags.isSimulated(engine));
            Set<String> finished = FinishedRows.read(outputDir);
            progress.start(countRows(files), finished.size());
            if (progress.isNothingLeft()) {
                return Main.OK;
            }
            TemporaryDir state = resources.add(TemporaryDir.create("radixflow-state-"));
            StreamExecutionEnvironment env =
                    JobEnvironment.embedded(flink, jobFlags.parallelism(), jobFlags.dashboardPort(), state.path());
            LabelJob.build(
                    env,
                    files,
                    outputDir,
                    requests,
                    new ConfiguredEngineProvider(engine.asMap()),
                    jobFlags.pipeline(engine, RecordFormat.JSON, false));
            RunningJob job = resources.add(RunningJob.submit(env, LabelJob.NAME));
            progress.line("dashboard http://127.0.0.1:" + flink.get(RestOptions.PORT));
            progress.follow(job);
            job.await();
            progress.summary(job, outputDir);
        }
        return Main.OK;
    }

    private RowsToRequests requests() {
        if (promptColumn != null && promptTemplate != null) {
            throw new UserException("--prompt-column and --prompt-template exclude each other; give one of them");
        }
        try {
            return new RowsToRequests(promptColumn, promptTemplate, defaults);
        } catch (IllegalArgumentException e) {
            throw new UserException("--defaults takes a JSON object: " + e.getMessage(), e);
        }
    }

    private List<Path> files() throws IOException {
        List<Path> files = new ArrayList<>();
        for (Path input : inputs) {
            if (Files.isDirectory(input)) {
                try (Stream<Path> inside = Files.list(input)) {
                    files.addAll(inside.filter(path -> path.toString().endsWith(".jsonl"))
                            .sorted()
                            .toList());
                }
            } else if (Files.isReadable(input)) {
                files.add(input);
            } else {
                throw new UserException("--input " + input + " does not exist or cannot be read");
            }
        }
        if (files.isEmpty()) {
            throw new UserException("--input holds no .jsonl files: " + inputs);
        }
        long distinctNames = files.stream().map(Path::getFileName).distinct().count();
        if (distinctNames < files.size()) {
            throw new UserException("two input files have the same name; answers are told apart by file name and line");
        }
        return files;
    }

    private static long countRows(List<Path> files) throws IOException {
        long rows = 0;
        for (Path file : files) {
            try (Stream<String> lines = Files.lines(file)) {
                rows += lines.filter(line -> !line.isEmpty()).count();
            }
        }
        return rows;
    }
}
