package io.radixflow.job.cluster;

import io.radixflow.job.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.IllegalConfigurationException;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessSpec;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;
import org.apache.flink.runtime.jobmanager.JobManagerProcessSpec;
import org.apache.flink.runtime.jobmanager.JobManagerProcessUtils;
import org.apache.flink.runtime.util.config.memory.ProcessMemoryUtils;
import org.jspecify.annotations.Nullable;

/** Turns a configuration into the command lines of the processes, as Flink's shell scripts do. */
public final class ClusterPlanner {

    private static final String JOB_MANAGER = "jobmanager";
    private static final String TASK_MANAGER = "taskmanager-";

    /** For processes that have little to do and should be there again in a moment. */
    private static final List<String> SMALL_JVM =
            List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto");

    /**
     * What the user asked for.
     *
     * @param shipped folder of config.yaml
     * @param dynamic settings of the command line
     * @param kafka brokers that are there already, or null for one of our own at {@code kafkaPort}
     * @param ownClassPath of this process, for the broker
     * @param numGpus that this machine has; each TaskManager sees one of them
     */
    public record Request(
            ClusterDirs dirs,
            Path shipped,
            Map<String, String> dynamic,
            FlinkJars flink,
            int numTaskManagers,
            Ports ports,
            @Nullable String kafka,
            String ownClassPath,
            int numGpus) {}

    /** Chosen ports on the loopback interface. */
    public record Ports(int rest, int kafka, int zooKeeper) {}

    private final Request request;
    private final String java;

    public ClusterPlanner(Request request) {
        this.request = request;
        java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** The ports of the last start, or the usual ones; ZooKeeper's is 0. */
    public static Ports lastPorts(ClusterDirs dirs) throws IOException {
        if (!Files.exists(dirs.planFile())) {
            return new Ports(8081, 9092, 0);
        }
        ClusterPlan last = ClusterPlan.read(dirs);
        return new Ports(
                ClusterPlan.portOf(last.dashboard()), last.hasOwnBroker() ? ClusterPlan.portOf(last.kafka()) : 9092, 0);
    }

    /**
     * Makes the folders, writes configuration and plan.
     *
     * @throws UserException if the configuration cannot be
     */
    public ClusterPlan prepare() throws IOException {
        ClusterDirs dirs = request.dirs;
        Ports ports = request.ports;
        dirs.create();
        Configuration config;
        List<ProcessSpec> processes = new ArrayList<>();
        try {
            config = ClusterConfig.of(request.shipped, request.dynamic, dirs, ports.rest, ports.zooKeeper);
            if (ClusterConfig.usesZooKeeperAt(config, ports.zooKeeper)) {
                processes.add(zooKeeper());
            }
            if (request.kafka == null) {
                processes.add(broker());
            }
            processes.add(jobManager(config));
            for (int i = 1; i <= request.numTaskManagers; i++) {
                processes.add(taskManager(config, i));
            }
        } catch (IllegalConfigurationException | IllegalArgumentException e) {
            throw new UserException("the cluster cannot be configured so: " + e.getMessage(), e);
        }
        ClusterConfig.write(config, request.shipped, dirs);
        String kafka = request.kafka == null ? "127.0.0.1:" + ports.kafka : request.kafka;
        ClusterPlan plan = new ClusterPlan(
                "http://127.0.0.1:" + ports.rest,
                kafka,
                request.kafka == null,
                request.flink.description(),
                request.numTaskManagers,
                processes);
        plan.write(dirs);
        return plan;
    }

    private ProcessSpec zooKeeper() throws IOException {
        Path file = request.dirs.conf().resolve("zoo.cfg");
        Files.writeString(file, """
                dataDir=%s
                clientPort=%d
                clientPortAddress=127.0.0.1
                tickTime=1000
                maxSessionTimeout=60000
                admin.enableServer=false
                """.formatted(request.dirs.data().resolve("zookeeper"), request.ports.zooKeeper));
        List<String> command = new ArrayList<>(List.of(java, "-Xmx64m"));
        command.addAll(SMALL_JVM);
        command.addAll(logging("zookeeper"));
        command.addAll(List.of(
                "-cp",
                request.flink.joined(),
                "org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.server.ZooKeeperServerMain",
                file.toString()));
        return new ProcessSpec("zookeeper", command, Map.of(), request.ports.zooKeeper);
    }

    private ProcessSpec broker() {
        List<String> command = new ArrayList<>(List.of(java, "-Xmx512m", "-XX:+UseSerialGC", "-Xshare:auto"));
        command.add("-Dradixflow.log.dir=" + request.dirs.logs().resolve("kafka"));
        command.addAll(List.of(
                "-cp",
                request.ownClassPath,
                BrokerProcess.class.getName(),
                Integer.toString(request.ports.kafka),
                request.dirs.data().resolve("kafka").toString()));
        return new ProcessSpec("kafka", command, Map.of(), request.ports.kafka);
    }

    private ProcessSpec jobManager(Configuration config) {
        JobManagerProcessSpec memory = JobManagerProcessUtils.processSpecFromConfig(config);
        List<String> command = flinkJvm(
                JOB_MANAGER, JobManagerProcessUtils.generateJvmParametersStr(memory, config), config, "jobmanager");
        command.add("org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint");
        command.addAll(List.of("--configDir", request.dirs.conf().toString()));
        command.addAll(words(JobManagerProcessUtils.generateDynamicConfigsStr(memory)));
        return new ProcessSpec(JOB_MANAGER, command, environment(), 0);
    }

    private ProcessSpec taskManager(Configuration config, int number) {
        String name = TASK_MANAGER + number;
        TaskExecutorProcessSpec memory = TaskExecutorProcessUtils.processSpecFromConfig(config);
        List<String> command =
                flinkJvm(name, ProcessMemoryUtils.generateJvmParametersStr(memory), config, "taskmanager");
        command.add("org.apache.flink.runtime.taskexecutor.TaskManagerRunner");
        command.addAll(List.of("--configDir", request.dirs.conf().toString()));
        command.addAll(words(TaskExecutorProcessUtils.generateDynamicConfigsStr(memory)));
        // A TaskManager that comes back under its name replaces the dead one at once, without waiting for its
        // heartbeat.
        command.addAll(List.of("-D", "taskmanager.resource-id=" + name));
        Map<String, String> environment = environment();
        if (request.numGpus > 0) {
            environment.put("CUDA_VISIBLE_DEVICES", Integer.toString((number - 1) % request.numGpus));
        }
        return new ProcessSpec(name, command, environment, 0);
    }

    private List<String> flinkJvm(String name, String memory, Configuration config, String role) {
        List<String> command = new ArrayList<>(List.of(java));
        command.addAll(words(memory));
        command.addAll(role.equals("jobmanager") ? SMALL_JVM : List.of("-XX:+UseParallelGC"));
        command.addAll(words(config.get(javaOptions("all"))));
        command.addAll(words(config.get(javaOptions(role))));
        command.addAll(logging(name));
        command.add("-Dradixflow.home=" + System.getProperty("radixflow.home", ""));
        command.addAll(List.of("-cp", request.flink.joined()));
        return command;
    }

    private List<String> logging(String name) {
        return List.of(
                "-Dlog.file=" + request.dirs.log(name),
                "-Dlog4j.configurationFile=" + request.dirs.conf().resolve("log4j.properties"));
    }

    /** The main method of a job that comes by REST reads config.yaml where this points to. */
    private Map<String, String> environment() {
        Map<String, String> environment = new HashMap<>();
        environment.put("FLINK_CONF_DIR", request.dirs.conf().toString());
        Path plugins = request.flink.pluginsDir();
        environment.put("FLINK_PLUGINS_DIR", (plugins == null ? request.dirs.plugins() : plugins).toString());
        return environment;
    }

    private static ConfigOption<String> javaOptions(String role) {
        return ConfigOptions.key("env.java.opts." + role).stringType().defaultValue("");
    }

    private static List<String> words(String text) {
        return text.isBlank() ? List.of() : List.of(text.strip().split("\\s+"));
    }
}
