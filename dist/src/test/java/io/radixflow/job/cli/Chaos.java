package io.radixflow.job.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Kills processes of a cluster with {@code kill -9} at random moments while it answers records, and compares what committed readers
 * got with an unbroken run of the same records.
 */
final class Chaos {

    /**
     * What to do.
     *
     * @param victims names of processes, of which each kill takes one; each as often as the others
     * @param shortestPauseMillis before a kill, and {@code longestPauseMillis}
     * @param isPaced whether most kills wait for the first answers since the last one
     * @param seed of victims, pauses and records
     */
    record Options(
            int numRecords,
            int numKills,
            List<String> victims,
            int shortestPauseMillis,
            int longestPauseMillis,
            int maxTokens,
            boolean isPaced,
            long seed) {}

    /** One kill: milliseconds since the job's start, who, and the longest time without a token until the next kill. */
    record Kill(long atMillis, String victim, long pauseMillis) {}

    /** What came out. */
    record Outcome(
            int numAnswers,
            List<String> repeated,
            List<String> deadLetters,
            List<String> differences,
            long answerTokens,
            long computedTokens,
            long tokensBetweenCheckpoints,
            int numRestores,
            List<Long> unknownRestores,
            double plainSeconds,
            double seconds,
            List<Kill> kills) {

        long computedTwice() {
            return computedTokens - answerTokens;
        }

        /** Share of the answers' tokens that was computed twice although it did not lie between checkpoints. */
        double excess() {
            return (double) Math.max(0, computedTwice() - tokensBetweenCheckpoints) / answerTokens;
        }
    }

    private static final long LONGEST_START_SECONDS = 120;

    private final TestCluster cluster;
    private final Options options;
    private final Random random;
    private final List<String> job;

    /** @param job {@code stream} and its flags but for topic and group */
    Chaos(TestCluster cluster, Options options, List<String> job) {
        this.cluster = cluster;
        this.options = options;
        this.job = List.copyOf(job);
        random = new Random(options.seed);
    }

    Outcome run() throws IOException, InterruptedException {
        cluster.send(records(), 2);
        try (TokenWatch watch = new TokenWatch(cluster);
                Answers plain = new Answers(cluster, "plain");
                Answers disturbed = new Answers(cluster, "disturbed")) {
            long start = System.nanoTime();
            String plainJob = cluster.submit(List.of(), jobTo("plain"));
            plain.await(options.numRecords, 900);
            double plainSeconds = (System.nanoTime() - start) / 1e9;
            cluster.run("stop-job", "--now", plainJob);
            awaitFreeSlots();
            watch.readTokens();
            long before = watch.total();

            start = System.nanoTime();
            long startMillis = System.currentTimeMillis();
            String disturbedJob = cluster.submit(List.of(), jobTo("disturbed"));
            watch.job(disturbedJob);
            List<Kill> kills = killAll(disturbed, watch, startMillis);
            disturbed.await(options.numRecords, 900);
            double seconds = (System.nanoTime() - start) / 1e9;
            watch.readTokens();
            cluster.run("stop-job", "--now", disturbedJob);
            awaitFreeSlots();
            List<Kill> timed = new ArrayList<>();
            for (int i = 0; i < kills.size(); i++) {
                long from = kills.get(i).atMillis;
                long to = i + 1 < kills.size() ? kills.get(i + 1).atMillis : Math.round(seconds * 1000);
                timed.add(
                        new Kill(from, kills.get(i).victim, watch.longestPause(startMillis + from, startMillis + to)));
            }
            return new Outcome(
                    disturbed.texts().size(),
                    disturbed.repeated(),
                    disturbed.deadLetters(),
                    disturbed.differences(plain),
                    disturbed.numTokens(),
                    watch.total() - before,
                    watch.betweenCheckpoints(),
                    watch.numRestores(),
                    watch.unknownRestores(),
                    plainSeconds,
                    seconds,
                    timed);
        }
    }

    private List<Kill> killAll(Answers answers, TokenWatch watch, long startMillis)
            throws IOException, InterruptedException {
        List<Kill> kills = new ArrayList<>();
        answers.awaitFirst(1, LONGEST_START_SECONDS); // so there is a checkpoint to go back to
        List<String> next = new ArrayList<>(); // each is killed as often as the others, in random order
        while (kills.size() < options.numKills) {
            if (options.isPaced
                    && random.nextInt(4)
                            > 0) { // one kill in four may come while the job still recovers from the one before
                answers.awaitFirst(answers.texts().size() + 1, LONGEST_START_SECONDS);
            }
            long until = System.currentTimeMillis()
                    + random.nextInt(options.shortestPauseMillis, options.longestPauseMillis + 1);
            while (System.currentTimeMillis() < until) {
                answers.poll();
            }
            if (answers.texts().size() >= options.numRecords) {
                throw new AssertionError("all records were answered after " + kills.size() + " of " + options.numKills
                        + " kills; take more records");
            }
            if (next.isEmpty()) {
                next.addAll(options.victims);
                Collections.shuffle(next, random);
            }
            String victim = next.remove(next.size() - 1);
            watch.readTokens();
            cluster.kill(victim);
            kills.add(new Kill(System.currentTimeMillis() - startMillis, victim, 0));
            System.out.printf(
                    Locale.ROOT,
                    "kill %d of %d at %.1f s: %s; %d answers so far%n",
                    kills.size(),
                    options.numKills,
                    kills.get(kills.size() - 1).atMillis / 1e3,
                    victim,
                    answers.texts().size());
        }
        return kills;
    }

    private void awaitFreeSlots() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (cluster.rest().get("/overview").path("slots-available").asInt() < 2) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("the cancelled job keeps its slots");
            }
            Thread.sleep(100);
        }
    }

    private List<String> jobTo(String topic) {
        List<String> arguments = new ArrayList<>(job);
        arguments.add("--output-topic=" + topic);
        arguments.add("--group-id=" + topic);
        arguments.add("--parallelism=2");
        return arguments;
    }

    /** Completions with a prefix that some share, of various lengths, greedy. */
    private List<String> records() {
        List<String> records = new ArrayList<>();
        for (int i = 0; i < options.numRecords; i++) {
            int maxTokens = options.maxTokens / 4 + random.nextInt(options.maxTokens * 3 / 4 + 1);
            records.add(String.format(
                    Locale.ROOT,
                    "{\"custom_id\":\"r%05d\",\"prompt\":\"Topic %d. Question number %d: what follows from %d?\","
                            + "\"max_tokens\":%d,\"temperature\":0,\"ignore_eos\":true}",
                    i,
                    i % 20,
                    i,
                    random.nextInt(1_000_000),
                    maxTokens));
        }
        return records;
    }

    static List<String> taskManagersAnd(int numTaskManagers, String... others) {
        List<String> victims = new ArrayList<>(List.of(others));
        for (int i = 1; i <= numTaskManagers; i++) {
            victims.add("taskmanager-" + i);
        }
        return victims;
    }

    static Path project() {
        return Path.of(System.getProperty("radixflow.home"));
    }
}
