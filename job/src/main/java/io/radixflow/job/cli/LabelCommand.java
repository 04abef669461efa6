package io.radixflow.job.cli;

import io.radixflow.engine.EngineConfig;
import io.radixflow.job.UserException;
import io.radixflow.job.pipeline.FinishedRows;
import io.radixflow.job.pipeline.JobEnvironment;
import io.radixflow.job.pipeline.LabelJob;
import io.radixflow.job.pipeline.LabelPlan;
import io.radixflow.job.pipeline.RunningJob;
import io.radixflow.operators.ConfiguredEngineProvider;
import io.radixflow.schemas.RecordFormat;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code label}: the bounded job, with progress; a second run computes only what the first did not finish. */
@Command(
        name = "label",
        description =
                "Answer each row of JSONL, CSV, Parquet or Avro files; what is answered already is not computed again.")
final class LabelCommand implements Callable<Integer>, StartsEngine {

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    private final JobFlags jobFlags = new JobFlags();

    @Mixin
    private final LabelFlags flags = new LabelFlags();

    @Override
    public Integer call() throws Exception {
        if (jobFlags.format() != RecordFormat.JSON) {
            throw new UserException("--format is for stream; label has --input-format and --output-format");
        }
        Configuration flink = jobFlags.flink();
        LabelInputs inputs = flags.inputs();
        LabelPlan plan = flags.plan(inputs);
        Path outputDir = flags.outputDir();
        EngineConfig engine = EngineFlags.config(spec, flink);
        Files.createDirectories(outputDir);
        ResourceStack resources = new ResourceStack();
        try (Shutdown shutdown = new Shutdown(resources)) {
            shutdown.arm();
            resources.add(OutputLock.take(outputDir));
            LabelProgress progress =
                    new LabelProgress(Terminal.of(spec.commandLine().getOut()), EngineFlags.isSimulated(engine));
            progress.start(
                    inputs.countRows(), FinishedRows.read(plan.outputDir()).numRows());
            if (progress.isNothingLeft()) {
                return Main.OK;
            }
            TemporaryDir state = resources.add(TemporaryDir.create("radixflow-state-"));
            StreamExecutionEnvironment env =
                    JobEnvironment.embedded(flink, jobFlags.parallelism(), jobFlags.dashboardPort(), state.path());
            LabelJob.build(
                    env,
                    plan,
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
}
