package io.radixflow.job.endurance;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.job.kafka.Topics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Long records, a million waiting records and 200,000 short ones through the whole job. Each test prints its figures; the device
 * is simulated, so its speed is a setting, and what is measured is everything around it.
 */
@Tag("soak")
class EnduranceIT {

    private static final int HEAP_MEGABYTES = 512;
    private static final double MEBIBYTE = 1 << 20;
    private static final String NO_GROUP_YET = "no offsets committed yet";

    @TempDir
    private Path dir;

    private BrokerProcess broker;

    @BeforeEach
    void startBroker() throws Exception {
        broker = BrokerProcess.start(dir);
    }

    @AfterEach
    void stopBroker() {
        broker.close();
    }

    /** Generations of {@code -Dradixflow.endurance.seconds} (600), far beyond poll interval, checkpoint and transaction timeout. */
    @Test
    void longRecordsCauseNoRebalanceAndNoTimeout() throws Exception {
        int seconds = Integer.getInteger("radixflow.endurance.seconds", 600);
        int numLong = 8;
        createTopics(List.of("prompts"), 3);
        try (Records records =
                        new Records(broker.bootstrapServers(), "prompts", "completions", "dlq", "read_committed");
                JobProcess job = startJob(
                        250_000,
                        List.of("prompts", "completions"),
                        "--kafka-property",
                        "max.poll.interval.ms=30000",
                        "--kafka-property",
                        "session.timeout.ms=10000",
                        "--checkpoint-interval",
                        "5s",
                        "-D",
                        "execution.checkpointing.timeout=20s",
                        "--transaction-timeout",
                        "30s");
                Admin admin =
                        Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrapServers()))) {
            job.runningSinceMillis();
            long start = System.nanoTime();
            records.send(0, numLong, 4 * seconds);
            int sent = numLong;
            List<String> groupStates = new ArrayList<>();
            while (records.numAnswers() < sent) {
                long second = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start);
                if (second < seconds - 20L && 20 * second / seconds > sent - numLong) {
                    records.send(sent, ++sent, 8); // short ones go on being answered beside them
                }
                records.poll(Duration.ofSeconds(1));
                groupStates.add(groupState(admin, job.groupId()));
                assertThat(job.jvm().isAlive()).isTrue();
                assertThat(second)
                        .as("seconds, with %s answers", records.numAnswers())
                        .isLessThan(seconds + 120L);
            }
            double took = (System.nanoTime() - start) / 1e9;
            Set<String> states = new TreeSet<>(groupStates);
            System.out.printf(
                    "endurance: %d generations of %d s and %d short ones, all answered once after %.1f s; %d looks at the group: %s;"
                            + " %d restarts; %.1f s of CPU%n",
                    numLong,
                    seconds,
                    sent - numLong,
                    took,
                    groupStates.size(),
                    states,
                    job.numRestarts(),
                    job.jvm().cpuSeconds());
            assertThat(took).isGreaterThan(seconds * 0.99);
            assertThat(records.completionTokens()).isEqualTo(4L * seconds * numLong + 8L * (sent - numLong));
            assertThat(states).containsOnly(NO_GROUP_YET, "Empty, 0 members");
            assertThat(job.numRestarts()).isZero();
            assertThat(
                            linesWith(
                                    "(?i).*(rebalanc|revok|poll timeout|max\\.poll\\.interval\\.ms\\b.*exceed|fenced|expired before).*"))
                    .isEmpty();
        }
    }

    /**
     * What the broker says of the job's group: its state, epoch and members. A source whose partitions are assigned by Flink has no
     * members, so nothing can rebalance; the group is there once offsets have been committed to it.
     */
    private static String groupState(Admin admin, String groupId) throws ExecutionException, InterruptedException {
        try {
            Map<String, ConsumerGroupDescription> groups =
                    admin.describeConsumerGroups(List.of(groupId)).all().get();
            ConsumerGroupDescription group = Objects.requireNonNull(groups.get(groupId));
            return group.groupState() + ", " + group.members().size() + " members";
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupIdNotFoundException) {
                return NO_GROUP_YET;
            }
            throw e;
        }
    }

    /** {@code -Dradixflow.endurance.waiting} (1,000,000) records in the topic against 10,000. */
    @Test
    void aMillionWaitingRecordsCostNothing() throws Exception {
        int many = Integer.getInteger("radixflow.endurance.waiting", 1_000_000);
        Waiting few = waiting("few", 10_000);
        Waiting all = waiting("many", many);
        System.out.printf("endurance: %s%nendurance: %s%n", few, all);
        assertThat(all.firstMillis).isLessThan(2_000);
        assertThat(few.firstMillis).isLessThan(2_000);
        assertThat(all.heapBytes).isLessThan((long) (1.5 * few.heapBytes));
        assertThat(all.rate).isBetween(0.98 * few.rate, 1.02 * few.rate);
    }

    /** What was measured with so many records in the topic. */
    private record Waiting(int number, long firstMillis, long firstReadMillis, long heapBytes, double rate) {
        @Override
        public String toString() {
            return String.format(
                    "%d waiting: first answer %d ms after all tasks ran (read after %d ms), heap %.1f MiB, %.2f answers/s",
                    number, firstMillis, firstReadMillis, heapBytes / MEBIBYTE, rate);
        }
    }

    private Waiting waiting(String name, int number) throws Exception {
        String input = "prompts-" + name;
        String output = "completions-" + name;
        createTopics(List.of(input, output), 1);
        try (Records records = new Records(broker.bootstrapServers(), input, output, "dlq", "read_committed")) {
            records.send(0, number, 4);
            try (JobProcess job = startJob(
                    100_000, List.of(input, output), "--delivery", "at-least-once", "--max-running-requests", "64")) {
                long running = job.runningSinceMillis();
                records.awaitAnswers(500);
                long heap = job.jvm().heapBytes();
                double rate = records.rate(1_500, 9_500);
                return new Waiting(
                        number, records.firstAnswerMillis() - running, records.firstReadMillis() - running, heap, rate);
            }
        }
    }

    /** {@code -Dradixflow.endurance.requests} (200,000) against a tenth of them. */
    @Test
    void memoryStaysFlatOverManyRequests() throws Exception {
        int all = Integer.getInteger("radixflow.endurance.requests", 200_000);
        createTopics(List.of("prompts"), 1);
        try (Records records =
                        new Records(broker.bootstrapServers(), "prompts", "completions", "dlq", "read_committed");
                JobProcess job = startJob(
                        500,
                        List.of("prompts", "completions"),
                        "--checkpoint-interval",
                        "2s",
                        "--kafka-property",
                        "buffer.memory=1048576", // each producer keeps its send buffers; so they are all there early
                        "--max-total-tokens",
                        "65536",
                        "--max-running-requests",
                        "256")) {
            List<long[]> memory = new ArrayList<>();
            List<Map<String, Long>> live = new ArrayList<>();
            int sent = 0;
            for (int upTo : new int[] {all / 10, all / 5, all / 2, all}) {
                long start = System.nanoTime();
                records.send(sent, upTo, 4);
                records.awaitAnswers(upTo);
                double rate = (upTo - sent) / ((System.nanoTime() - start) / 1e9);
                sent = upTo;
                live.add(job.jvm().liveBytes());
                long[] now = {upTo, job.jvm().heapBytes(), job.jvm().anonymousBytes()};
                memory.add(now);
                System.out.printf(
                        "endurance: %d requests: heap %d B, RssAnon %d B (%d answers/s)%n%s%n",
                        upTo, now[1], now[2], (long) rate, nativeMemory(job));
            }
            System.out.println("endurance: what grew most: " + growth(live.get(0), live.get(live.size() - 1)));
            long[] first = memory.get(0);
            long[] last = memory.get(memory.size() - 1);
            System.out.printf(
                    "endurance: %d to %d requests: heap %.4f, RssAnon %.4f, RssAnon without the heap's %d MiB %.4f%n",
                    last[0],
                    first[0],
                    (double) last[1] / first[1],
                    (double) last[2] / first[2],
                    HEAP_MEGABYTES,
                    (last[2] - HEAP_MEGABYTES * MEBIBYTE) / (first[2] - HEAP_MEGABYTES * MEBIBYTE));
            assertThat(last[1]).isLessThan((long) (1.03 * first[1]));
            assertThat(last[2]).isLessThan((long) (1.03 * first[2]));
        }
    }

    /** The classes whose live objects grew most, in bytes. */
    private static String growth(Map<String, Long> before, Map<String, Long> after) {
        return after.entrySet().stream()
                .map(entry -> Map.entry(entry.getKey(), entry.getValue() - before.getOrDefault(entry.getKey(), 0L)))
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .limit(8)
                .map(Object::toString)
                .collect(Collectors.joining(", "));
    }

    /** The JVM's own account: committed memory of each kind. */
    private static String nativeMemory(JobProcess job) throws IOException, InterruptedException {
        StringBuilder lines = new StringBuilder();
        for (String line : job.jvm().jcmd("VM.native_memory").lines().toList()) {
            if (line.contains("committed=")) {
                lines.append(line.replaceAll("\\s+", " ").replaceAll("reserved=\\d+KB, ", ""))
                        .append(';');
            }
        }
        return lines.toString();
    }

    private void createTopics(List<String> topics, int numPartitions) {
        Topics.create(broker.bootstrapServers(), Map.of(), topics, numPartitions);
    }

    private JobProcess startJob(int stepMicros, List<String> topics, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(
                List.of("--input-topic", topics.get(0), "--output-topic", topics.get(1), "--dead-letter-topic", "dlq"));
        arguments.addAll(List.of(more));
        return JobProcess.start(
                dir, broker.bootstrapServers(), HEAP_MEGABYTES, stepMicros, arguments.toArray(String[]::new));
    }

    /** Lines of the job's and the broker's output and logs that match. */
    private List<String> linesWith(String pattern) throws IOException {
        List<String> found = new ArrayList<>();
        try (Stream<Path> files = Files.walk(dir)) {
            for (Path file : files.filter(path -> path.toString().matches(".*\\.(out|log)"))
                    .toList()) {
                if (file.toString().contains("/radixflow-kafka")) {
                    continue;
                }
                Files.readAllLines(file).stream()
                        .filter(line -> line.matches(pattern))
                        .forEach(found::add);
            }
        }
        return found;
    }
}
