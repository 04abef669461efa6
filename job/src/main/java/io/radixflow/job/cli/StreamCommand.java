package io.radixflow.job.cli;

import io.radixflow.engine.EngineConfig;
import io.radixflow.job.kafka.KafkaEnds;
import io.radixflow.job.kafka.KafkaOptions;
import io.radixflow.job.pipeline.JobEnvironment;
import io.radixflow.job.pipeline.RunningJob;
import io.radixflow.job.pipeline.StreamJob;
import io.radixflow.operators.ConfiguredEngineProvider;
import io.radixflow.operators.PipelineOptions;
import io.radixflow.schemas.RecordFormat;
import io.radixflow.schemas.RegistryAccess;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code stream}: the unbounded job, in this process or, under {@code flink run}, in the cluster. */
@Command(name = "stream", description = "Answer prompts from Kafka topics to Kafka topics, until stopped.")
final class StreamCommand implements Callable<Integer>, StartsEngine {

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    private final KafkaFlags kafkaFlags = new KafkaFlags();

    @Mixin
    private final JobFlags jobFlags = new JobFlags();

    @Mixin
    private final RegistryFlags registryFlags = new RegistryFlags();

    @Option(
            names = "--state-dir",
            paramLabel = "DIR",
            description = "Keeps checkpoints of a job in this process; the next start goes on from the newest"
                    + " (default: .cache/state/<group-id>).")
    private @Nullable Path stateDir;

    @Override
    public Integer call() throws Exception {
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        RecordFormat format = jobFlags.format();
        RegistryAccess registry = registryFlags.access(format == RecordFormat.AVRO_CONFLUENT);
        Configuration flink = jobFlags.flink();
        EngineConfig engine = EngineFlags.config(spec, flink);
        KafkaOptions kafka = kafkaFlags.options(JobEnvironment.checkpointTimes(flink));
        PipelineOptions pipeline =
                jobFlags.pipeline(engine, format, kafka.deltaTopic() != null).withRegistry(registry);
        KafkaEnds ends = registry == null ? new KafkaEnds(kafka) : KafkaEnds.registered(kafka, registry);
        List<String> created = ends.prepare(jobFlags.parallelism());
        if (!created.isEmpty()) {
            terminal.line("created topics: " + String.join(", ", created));
        }
        boolean isInCluster = JobEnvironment.isInCluster();
        StreamExecutionEnvironment env = isInCluster
                ? JobEnvironment.ofCluster(flink, jobFlags.parallelism())
                : JobEnvironment.embedded(flink, jobFlags.parallelism(), jobFlags.dashboardPort(), stateDir(kafka));
        StreamJob.build(env, ends, new ConfiguredEngineProvider(engine.asMap()), pipeline);
        RunningJob job = RunningJob.submit(env, StreamJob.NAME);
        if (isInCluster) {
            return Main.OK;
        }
        try (Shutdown shutdown = new Shutdown(job)) {
            shutdown.arm();
            terminal.line("running: " + String.join(",", kafka.inputTopics()) + " -> " + kafka.outputTopic()
                    + ", dashboard http://127.0.0.1:" + flink.get(RestOptions.PORT) + " (stop with Ctrl-C)");
            job.await();
        }
        return Main.OK;
    }

    private Path stateDir(KafkaOptions kafka) {
        return stateDir == null ? Home.cacheDir().resolve("state").resolve(kafka.groupId()) : stateDir;
    }
}
