package io.radixflow.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.EngineOptions;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.apache.flink.configuration.BlobServerOptions;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.ExternalResourceOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.HeartbeatManagerOptions;
import org.apache.flink.configuration.HighAvailabilityOptions;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.MetricOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.configuration.WebOptions;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** What {@code flink-conf} and the jars hold fits together and fits Flink. */
class ClusterFilesTest {

    private static final Path CONF = Chaos.project().resolve("flink-conf");
    private static final Path BUILT = Chaos.project().resolve("dist/target");

    private static final List<Class<?>> OPTIONS = List.of(
            BlobServerOptions.class,
            CheckpointingOptions.class,
            CoreOptions.class,
            ExternalResourceOptions.class,
            HeartbeatManagerOptions.class,
            HighAvailabilityOptions.class,
            JobManagerOptions.class,
            MetricOptions.class,
            RestOptions.class,
            RestartStrategyOptions.class,
            StateBackendOptions.class,
            TaskManagerOptions.class,
            WebOptions.class);

    private static Set<String> knownKeys() throws IllegalAccessException {
        Set<String> keys = new HashSet<>();
        for (Class<?> options : OPTIONS) {
            for (Field field : options.getFields()) {
                if (field.getType() == ConfigOption.class) {
                    keys.add(((ConfigOption<?>) field.get(null)).key());
                }
            }
        }
        return keys;
    }

    /** Keys that have a name of ours inside. */
    private static boolean isNamed(String key) {
        return key.startsWith("metrics.reporter.prom.")
                || key.startsWith("external-resource.gpu.")
                || key.equals("radixflow." + EngineOptions.ENGINE_KEEP_ALIVE.name());
    }

    @Test
    void configYamlHasKeysThatFlinkKnowsOnly() throws Exception {
        Configuration config = GlobalConfiguration.loadConfiguration(CONF.toString());
        Set<String> known = knownKeys();
        assertThat(config.keySet()).hasSizeGreaterThan(20);
        assertThat(config.keySet())
                .allSatisfy(key ->
                        assertThat(known.contains(key) || isNamed(key)).as(key).isTrue());
        assertThat(config.get(CheckpointingOptions.ENABLE_UNALIGNED)).isTrue();
        assertThat(config.get(TaskManagerOptions.NUM_TASK_SLOTS)).isEqualTo(1);
    }

    @Test
    void theKubernetesManifestSaysWhatConfigYamlSays() throws Exception {
        JsonNode manifest = yaml(CONF.resolve("kubernetes/flink-deployment.yaml"));
        assertThat(manifest.path("apiVersion").asText()).isEqualTo("flink.apache.org/v1beta1");
        assertThat(manifest.path("kind").asText()).isEqualTo("FlinkDeployment");
        JsonNode flink = manifest.path("spec").path("flinkConfiguration");
        Set<String> known = knownKeys();
        flink.fieldNames().forEachRemaining(key -> {
            assertThat(known.contains(key) || isNamed(key)).as(key).isTrue();
            assertThat(flink.path(key).isTextual()).as(key).isTrue(); // the operator takes texts only
        });
        Configuration shipped = GlobalConfiguration.loadConfiguration(CONF.toString());
        for (String same : List.of(
                "env.java.opts.all",
                "classloader.parent-first-patterns.additional",
                "execution.checkpointing.unaligned.enabled",
                "execution.checkpointing.interval",
                "restart-strategy.type",
                "taskmanager.numberOfTaskSlots",
                "state.backend.type")) {
            assertThat(flink.path(same).asText()).as(same).isEqualTo(shipped.get(text(same)));
        }
        JsonNode job = manifest.path("spec").path("job");
        assertThat(job.path("entryClass").asText()).isEqualTo(Main.class.getName());
        assertThat(job.path("upgradeMode").asText()).isEqualTo("savepoint");
        List<String> arguments = new ArrayList<>();
        job.path("args").forEach(argument -> arguments.add(argument.asText()));
        assertThat(Main.commandLine(System.out, System.err)
                        .parseArgs(arguments.toArray(String[]::new))
                        .errors())
                .isEmpty();
    }

    private static ConfigOption<String> text(String key) {
        return ConfigOptions.key(key).stringType().noDefaultValue();
    }

    @Test
    void theGrafanaDashboardShowsEachMetricAndNoOther() throws Exception {
        Path file = CONF.resolve("grafana-dashboard.json");
        assertThat(MetricNames.ofDashboard(file))
                .isEqualTo(MetricNames.ofReadme(Chaos.project().resolve("README.md")));
        JsonNode dashboard = new ObjectMapper().readTree(file.toFile());
        assertThat(dashboard.path("panels"))
                .hasSizeGreaterThan(10)
                .allSatisfy(panel -> assertThat(panel.path("title").asText()).isNotEmpty());
    }

    @Test
    void theJarsShareNoClassAndLeaveNoneOfOursOut() throws Exception {
        Set<String> lib = classes(BUILT.resolve("radixflow-lib.jar"));
        Set<String> job = classes(BUILT.resolve("radixflow-job.jar"));
        assertThat(lib)
                .contains(
                        "io/radixflow/loop/Engines.class", "jcuda/driver/JCudaDriver.class", "com/sun/jna/Native.class")
                .noneMatch(name -> name.startsWith("io/radixflow/job") || name.startsWith("org/apache/"));
        assertThat(job)
                .contains("io/radixflow/job/cli/Main.class", "org/apache/kafka/clients/consumer/KafkaConsumer.class")
                .noneMatch(name -> name.startsWith("org/apache/flink/runtime/") || name.startsWith("kafka/"));
        Set<String> both = new TreeSet<>(lib);
        both.retainAll(job);
        assertThat(both).isEmpty();
        for (String ours : new String[] {"schemas", "gpu-runtime", "operators", "job"}) {
            Path classes = Chaos.project().resolve(ours).resolve("target/classes");
            try (var files = Files.walk(classes)) {
                for (Path file :
                        files.filter(path -> path.toString().endsWith(".class")).toList()) {
                    String name = classes.relativize(file).toString();
                    assertThat(lib.contains(name) || job.contains(name))
                            .as(name)
                            .isTrue();
                }
            }
        }
    }

    private static Set<String> classes(Path jar) throws IOException {
        Set<String> names = new TreeSet<>();
        try (JarFile file = new JarFile(jar.toFile())) {
            for (JarEntry entry : java.util.Collections.list(file.entries())) {
                if (entry.getName().endsWith(".class")) {
                    names.add(entry.getName());
                }
            }
        }
        return names;
    }

    private static JsonNode yaml(Path file) throws IOException {
        return new ObjectMapper()
                .valueToTree(new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file)));
    }
}
