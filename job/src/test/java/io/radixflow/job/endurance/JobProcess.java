package io.radixflow.job.endurance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.job.cli.Main;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** {@code radixflow stream} on the simulated device, with the tokenizer of a real model, in a JVM of its own. */
final class JobProcess implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern DASHBOARD = Pattern.compile("dashboard (http://\\S+)");
    private static final String MODEL = "smollm2-135m-instruct";

    private final ChildJvm jvm;
    private final String dashboard;
    private final String groupId;

    private JobProcess(ChildJvm jvm, String dashboard, String groupId) {
        this.jvm = jvm;
        this.dashboard = dashboard;
        this.groupId = groupId;
    }

    /**
     * Starts the job and returns when it has been submitted.
     *
     * @param stepMicros of each step of the simulated device, whatever is in it
     */
    static JobProcess start(Path dir, String bootstrapServers, int heapMegabytes, int stepMicros, String... more)
            throws IOException, InterruptedException {
        Path models = Path.of(System.getProperty("radixflow.models"));
        Path home = Files.createTempDirectory(dir, "job-");
        List<String> arguments = new ArrayList<>(List.of(
                "stream",
                "--bootstrap-servers",
                bootstrapServers,
                "--device",
                "simulated",
                "--time-model",
                timeModel(home, stepMicros).toString(),
                "--model-path",
                MODEL,
                "--group-id",
                home.getFileName().toString(),
                "--state-dir",
                home.resolve("state").toString()));
        arguments.addAll(List.of(more));
        String heap = heapMegabytes + "m";
        List<String> options = List.of(
                "-Xms" + heap,
                "-Xmx" + heap,
                "-XX:+AlwaysPreTouch",
                "-XX:NativeMemoryTracking=summary",
                "-Dradixflow.home=" + home,
                "-Dradixflow.models=" + models.toAbsolutePath(),
                "-Dradixflow.log.dir=" + home);
        ChildJvm jvm = ChildJvm.start(home.resolve("job.out"), options, Main.class, arguments);
        return new JobProcess(jvm, jvm.await(DASHBOARD), home.getFileName().toString());
    }

    private static Path timeModel(Path dir, int stepMicros) throws IOException {
        return Files.writeString(dir.resolve("device.json"), """
                {"name": "steps of %d us", "model": {"name": "endurance", "vocab_size": 49152, "context_length": 8192,
                "kv_cache_tokens": 262144}, "step": {"fixed_us": %d, "body": {"weights_us": 0, "row_us": 0},
                "head": {"weights_us": 0, "row_us": 0}, "corner_exponent": 1, "elementwise_token_us": 0,
                "kv_read_token_us": 0, "attention_pair_us": 0, "reads_shared_prefix_once": true}}
                """.formatted(stepMicros, stepMicros));
    }

    ChildJvm jvm() {
        return jvm;
    }

    /** The consumer group's id. */
    String groupId() {
        return groupId;
    }

    /** When the last of the job's subtasks began to run, in milliseconds since the epoch; waits for it. */
    long runningSinceMillis() throws IOException, InterruptedException {
        while (true) {
            long since = 0;
            for (JsonNode job : get("/jobs").path("jobs")) {
                since = runningSinceMillis(job.path("id").asText());
            }
            if (since > 0) {
                return since;
            }
            Thread.sleep(50);
        }
    }

    /** 0 if not all run. */
    private long runningSinceMillis(String job) throws IOException {
        long last = 0;
        for (JsonNode vertex : get("/jobs/" + job).path("vertices")) {
            JsonNode times =
                    get("/jobs/" + job + "/vertices/" + vertex.path("id").asText() + "/subtasktimes");
            for (JsonNode subtask : times.path("subtasks")) {
                long running = subtask.path("timestamps").path("RUNNING").asLong();
                if (running <= 0) {
                    return 0;
                }
                last = Math.max(last, running);
            }
        }
        return last;
    }

    /** Restarts of the job so far. */
    int numRestarts() throws IOException {
        int restarts = 0;
        for (JsonNode job : get("/jobs").path("jobs")) {
            String path = "/jobs/" + job.path("id").asText() + "/metrics?get=numRestarts";
            for (JsonNode metric : get(path)) {
                restarts += metric.path("value").asInt();
            }
        }
        return restarts;
    }

    private JsonNode get(String path) throws IOException {
        try {
            return JSON.readTree(URI.create(dashboard + path).toURL());
        } catch (IOException e) {
            throw new AssertionError("the job's dashboard does not answer; the job said:\n" + jvm.output(), e);
        }
    }

    @Override
    public void close() {
        jvm.close();
    }
}
