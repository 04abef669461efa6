package io.radixflow.job.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.radixflow.job.cluster.FlinkRest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Counts the tokens that engines compute, over all incarnations of their processes, and the checkpoints that a job goes back to.
 * A thread asks every TaskManager's Prometheus endpoint and the JobManager again and again.
 */
final class TokenWatch implements AutoCloseable {

    private static final int PAUSE_MILLIS = 100;
    static final int NUM_PORTS = 8;
    private static final Pattern TOKENS = Pattern.compile(
            "(?m)^flink_taskmanager_job_task_operator_engine_(?:device_)?generation_tokens_total\\{.*?tm_id=\"([^\"]+)\".*?\\} ([0-9.E+]+)$");

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofMillis(300)).build();
    private final TestCluster cluster;
    private final Thread thread = new Thread(this::watch, "token-watch");
    private final Map<String, Double> last = new HashMap<>();
    /** Cumulative count by time, milliseconds since the epoch. */
    private final TreeMap<Long, Double> history = new TreeMap<>();

    private final Map<Long, Long> triggerTimes = new HashMap<>();
    private final TreeMap<Long, Long> restores = new TreeMap<>(); // time -> checkpoint
    private double total;
    private volatile @Nullable String jobId;
    private volatile boolean isEnding;

    TokenWatch(TestCluster cluster) {
        this.cluster = cluster;
        history.put(System.currentTimeMillis(), 0.0);
        thread.setDaemon(true);
        thread.start();
    }

    /** From now on this job's checkpoints. */
    void job(String id) {
        jobId = id;
    }

    private void watch() {
        try {
            for (int round = 0; !isEnding; round++) {
                readTokens();
                if (round % 3 == 0) {
                    readCheckpoints();
                }
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Asks now; also called before a process is killed, so that little of its count is missed. */
    synchronized void readTokens() throws InterruptedException {
        for (int i = 0; i < NUM_PORTS; i++) {
            URI address = URI.create("http://127.0.0.1:" + (cluster.firstPrometheusPort() + i) + "/metrics");
            Matcher metric = TOKENS.matcher(page(http, address));
            while (metric.find()) {
                count(metric.group(1), Double.parseDouble(metric.group(2)));
            }
        }
        history.put(System.currentTimeMillis(), total);
    }

    private void count(String taskManager, double value) {
        double before = last.getOrDefault(taskManager, 0.0);
        total += value >= before ? value - before : value; // a smaller count is that of a new engine
        last.put(taskManager, value);
    }

    /** What a Prometheus endpoint says; nothing if nobody is there. */
    static String page(HttpClient http, URI address) throws InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(address).timeout(Duration.ofSeconds(2)).build();
        try {
            return http.send(request, BodyHandlers.ofString()).body();
        } catch (IOException e) {
            return ""; // nobody took this port, or was killed meanwhile
        }
    }

    private synchronized void readCheckpoints() throws InterruptedException {
        String job = jobId;
        if (job == null) {
            return;
        }
        FlinkRest rest = cluster.rest();
        try {
            JsonNode checkpoints = rest.get("/jobs/" + job + "/checkpoints");
            for (JsonNode one : checkpoints.path("history")) {
                triggerTimes.put(
                        one.path("id").asLong(), one.path("trigger_timestamp").asLong());
            }
            JsonNode restored = checkpoints.path("latest").path("restored");
            if (restored.has("id")) {
                long id = restored.path("id").asLong();
                restores.put(restored.path("restore_timestamp").asLong(), id);
                if (!triggerTimes.containsKey(
                        id)) { // made while nobody looked: its file is a little younger than its trigger
                    Path made =
                            Path.of(URI.create(restored.path("external_path").asText() + "/_metadata"));
                    triggerTimes.put(id, Files.getLastModifiedTime(made).toMillis());
                }
            }
        } catch (IOException e) {
            return; // the JobManager is just coming back
        }
    }

    /** Tokens computed so far. */
    synchronized long total() {
        return Math.round(total);
    }

    /** Tokens that were computed after the checkpoint that each restart went back to, and before the restart. */
    synchronized long betweenCheckpoints() {
        double sum = 0;
        long lastRestore = 0;
        for (Map.Entry<Long, Long> restore : restores.entrySet()) {
            Long triggered = triggerTimes.get(restore.getValue());
            if (triggered != null) {
                sum += at(restore.getKey()) - at(Math.max(triggered, lastRestore));
            }
            lastRestore = restore.getKey();
        }
        return Math.round(sum);
    }

    private double at(long time) {
        Map.Entry<Long, Double> entry = history.floorEntry(time);
        return entry == null ? 0 : entry.getValue();
    }

    /** How often the job went back to a checkpoint. */
    synchronized int numRestores() {
        return restores.size();
    }

    /** Restarts whose checkpoint was never seen, so that {@link #betweenCheckpoints} counts nothing for them. */
    synchronized List<Long> unknownRestores() {
        List<Long> unknown = new ArrayList<>();
        restores.values().stream().filter(id -> !triggerTimes.containsKey(id)).forEach(unknown::add);
        return unknown;
    }

    /** The longest time within {@code [from, to)}, milliseconds since the epoch, in which no token was computed. */
    synchronized long longestPause(long from, long to) {
        long longest = 0;
        long since = from;
        double count = at(from);
        for (Map.Entry<Long, Double> entry : history.subMap(from, to).entrySet()) {
            if (entry.getValue() > count) {
                count = entry.getValue();
                since = entry.getKey();
            }
            longest = Math.max(longest, entry.getKey() - since);
        }
        return longest;
    }

    @Override
    public void close() {
        isEnding = true;
        thread.interrupt();
    }
}
