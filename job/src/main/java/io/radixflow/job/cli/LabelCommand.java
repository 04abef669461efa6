package io.radixflow.job.cli;

import io.radixflow.engine.EngineConfig;
import io.radixflow.job.UserException;
import io.radixflow.job.pipeline.FinishedRows;
import io.radixflow.job.pipeline.JobEnvironment;
import io.radixflow.job.pipeline.LabelJob;
import io.radixflow.job.pipeline.LabelPlan;
import io.radixflow.job.pipeline.OutputTidy;
import io.radixflow.job.pipeline.RunningJob;
import io.radixflow.job.report.RunReport;
import io.radixflow.job.report.RunReportFile;
import io.radixflow.job.report.RunReportHtml;
import io.radixflow.operators.ConfiguredEngineProvider;
import io.radixflow.operators.EngineProvider;
import io.radixflow.operators.PipelineOptions;
import io.radixflow.schemas.RecordFormat;
import java.io.IOException;
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

    private static final int ANY_PORT = 0;

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
        EngineConfig engine = EngineFlags.config(spec, flink);
        flags.checkSchema(PipelineOptions.jsonStyle(engine));
        if (flags.isBatch()) {
            JobEnvironment.batch(flink);
        }
        if (flags.isInPrefixOrder() && (flags.isBatch() || JobEnvironment.isInCluster())) {
            throw new UserException(
                    "--order prefix is for --mode streaming in a process of its own; leave one of them out");
        }
        Files.createDirectories(flags.outputDir());
        if (JobEnvironment.isInCluster()) {
            StreamExecutionEnvironment env = JobEnvironment.ofCluster(flink, jobFlags.parallelism());
            build(env, plan, engine);
            RunningJob.submit(env, LabelJob.NAME);
            return Main.OK;
        }
        ResourceStack resources = new ResourceStack();
        try (Shutdown shutdown = new Shutdown(resources)) {
            shutdown.arm();
            resources.add(OutputLock.take(flags.outputDir()));
            LabelProgress progress =
                    new LabelProgress(Terminal.of(spec.commandLine().getOut()), EngineFlags.isSimulated(engine));
            LabelState state = new LabelState(flags.outputDir());
            long numEarlier = prepare(state, plan, RunIdentity.of(plan, inputs, engine), progress);
            progress.start(inputs.countRows(), numEarlier);
            if (progress.isNothingLeft() || run(resources, state, plan, engine, flink, progress)) {
                state.clear();
                OutputTidy.deleteLeftovers(plan.outputDir());
            }
        }
        return Main.OK;
    }

    /** Chooses what to go on from, and tidies the folder if that is the finished rows; how many were finished before. */
    private long prepare(LabelState state, LabelPlan plan, RunIdentity identity, LabelProgress progress)
            throws IOException {
        boolean isFromRows = flags.isBatch() || flags.isInPrefixOrder();
        Path checkpoint = isFromRows ? null : state.newestCheckpoint();
        String obstacle = checkpoint == null ? null : state.obstacle(identity);
        if (checkpoint != null && obstacle == null) {
            progress.line("going on from the last checkpoint of the run before, with the answers that it was making");
            return state.numFinishedBefore();
        }
        if (obstacle != null) {
            progress.line("the run before had another " + obstacle
                    + "; going on from its finished rows, without the answers that it was making");
        }
        OutputTidy.run(plan.outputDir()).forEach(progress::line);
        long numFinished = FinishedRows.read(plan.outputDir()).numRows();
        state.begin(identity, numFinished);
        return numFinished;
    }

    /** Whether the job came to its end. */
    private boolean run(
            ResourceStack resources,
            LabelState state,
            LabelPlan plan,
            EngineConfig engine,
            Configuration flink,
            LabelProgress progress)
            throws Exception {
        StreamExecutionEnvironment env;
        if (flags.isInPrefixOrder()) {
            env = ordered(resources, plan, engine, flink, progress);
        } else {
            env = JobEnvironment.embedded(flink, jobFlags.parallelism(), jobFlags.dashboardPort(), state.checkpoints());
            build(env, plan, engine);
        }
        RunningJob job = resources.add(RunningJob.submit(env, LabelJob.NAME));
        String dashboard = "http://127.0.0.1:" + flink.get(RestOptions.PORT);
        progress.line("dashboard " + dashboard);
        LabelSampler sampler = new LabelSampler(dashboard, job.id());
        progress.follow(job, sampler);
        boolean isFinished = job.await();
        if (isFinished) {
            LabelCounts counts = LabelCounts.of(job);
            double seconds = progress.seconds();
            progress.summary(counts, seconds, flags.outputDir());
            Path reports = Files.createDirectories(flags.reportDir());
            RunReport report = LabelReport.of(spec, plan, engine, counts, seconds, sampler);
            RunReportFile.write(report, reports.resolve("report.json"));
            Files.writeString(reports.resolve("report.html"), RunReportHtml.page(report));
            progress.line(String.format("%-22s%s", "report", reports.resolve("report.html")));
        }
        return isFinished;
    }

    /** Sorts the rows in a job of its own and adds the graph that answers them. Both live in files that no later run could use. */
    private StreamExecutionEnvironment ordered(
            ResourceStack resources, LabelPlan plan, EngineConfig engine, Configuration flink, LabelProgress progress)
            throws Exception {
        TemporaryDir dir = resources.add(TemporaryDir.create("radixflow-order-"));
        org.apache.flink.core.fs.Path folder =
                new org.apache.flink.core.fs.Path(dir.path().toUri());
        EngineProvider engines = new ConfiguredEngineProvider(engine.asMap());
        PipelineOptions options = jobFlags.pipeline(engine, RecordFormat.JSON, false);
        progress.line("sorting the rows by their prompts");
        StreamExecutionEnvironment sorting = JobEnvironment.embedded(
                JobEnvironment.sorting(flink),
                jobFlags.parallelism(),
                ANY_PORT,
                dir.path().resolve("sort"));
        LabelJob.buildOrder(sorting, plan, engines, options, folder);
        if (!resources.add(RunningJob.submit(sorting, LabelJob.NAME + "-order")).await()) {
            throw new UserException("the run was stopped while it sorted the rows");
        }
        StreamExecutionEnvironment env = JobEnvironment.embedded(
                flink,
                jobFlags.parallelism(),
                jobFlags.dashboardPort(),
                dir.path().resolve("checkpoints"));
        LabelJob.buildOrdered(env, plan, engines, options, folder);
        return env;
    }

    private void build(StreamExecutionEnvironment env, LabelPlan plan, EngineConfig engine) {
        LabelJob.build(
                env,
                plan,
                new ConfiguredEngineProvider(engine.asMap()),
                jobFlags.pipeline(engine, RecordFormat.JSON, false));
    }
}
