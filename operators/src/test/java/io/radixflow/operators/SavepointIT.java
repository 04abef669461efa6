package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.SamplingParams;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A job that is stopped with savepoints, upgraded and rescaled while its engines work. */
class SavepointIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int NUM_CHOICES = 2;

    /** Every fourth record asks for two answers; all are drawn with a temperature. */
    private static boolean hasChoices(long i) {
        return i % 4 == 1;
    }

    /** Every third record has a grammar. */
    private static boolean hasGrammar(long i) {
        return i % 3 == 0;
    }

    private static String regex(long i) {
        return "[a-z]{" + maxTokens(i) / 2 + "}(, [a-z]{3}){" + maxTokens(i) / 12 + "}";
    }

    /** Answers of unequal length end in another order than they began. */
    private static int maxTokens(long i) {
        return 20 + (int) (i * 7 % 40);
    }

    private static String prompt(long i) {
        return "Question number " + i;
    }

    private static SourceRecord record(long i) {
        String fields =
                ",\"temperature\":0.8,\"max_tokens\":" + maxTokens(i) + (hasChoices(i) ? ",\"n\":" + NUM_CHOICES : "")
                        + (hasGrammar(i) ? ",\"regex\":\"" + regex(i) + "\"" : "");
        return Prompts.source(i, Prompts.json(prompt(i), fields));
    }

    /** Few records in the network, since a savepoint's barrier waits for all that are before it. */
    private static Configuration smallBuffers() {
        Configuration configuration = new Configuration();
        configuration.setString("taskmanager.memory.segment-size", "4 kb");
        configuration.setString("taskmanager.network.memory.floating-buffers-per-gate", "1");
        return configuration;
    }

    private static StreamExecutionEnvironment job(SimulatedEngines engines, int parallelism) {
        Configuration configuration = new Configuration();
        configuration.setString("execution.checkpointing.interval", "100 ms");
        configuration.setString("execution.checkpointing.unaligned.enabled", "true");
        configuration.setString("restart-strategy.type", "none");
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        PipelineOptions options = PipelineOptions.defaults()
                .withParallelism(parallelism)
                .withPrefixWindow(4, Duration.ofMillis(5))
                .withDeltaOutput(false);
        PromptPipeline.build(
                        environment
                                .fromSequence(0, Long.MAX_VALUE)
                                .uid("source")
                                .setParallelism(1)
                                .map(SavepointIT::record)
                                .returns(RecordTypes.SOURCE)
                                .uid("record")
                                .setParallelism(1),
                        engines,
                        options)
                .completions()
                .map(new CommittedResults())
                .returns(RecordTypes.RESULT)
                .uid("committed")
                .setParallelism(1)
                .sinkTo(new DiscardingSink<>())
                .uid("sink")
                .setParallelism(1);
        return environment;
    }

    /** One engine, then two, then one again; the last time the job is drained. */
    @Test
    @Timeout(120)
    void answersAreThoseOfAnUnbrokenRunAcrossSavepointsAndRescaling(@TempDir Path folder) throws Exception {
        CommittedResults.COMMITTED.clear();
        SimulatedEngines engines = SimulatedEngines.of(8, 3_000);
        int[] parallelism = {1, 2, 1};
        try (LocalCluster cluster = new LocalCluster(4, smallBuffers())) {
            String savepoint = null;
            for (int run = 0; run < parallelism.length; run++) {
                boolean isLast = run == parallelism.length - 1;
                int enough = CommittedResults.COMMITTED.size() + 40;
                JobID job = cluster.submit(job(engines, parallelism[run]), savepoint);
                LocalCluster.awaitTrue(() -> CommittedResults.COMMITTED.size() >= enough);
                savepoint = cluster.stop(job, folder, isLast);
                assertThat(cluster.status(job)).isEqualTo(JobStatus.FINISHED);
                assertThat(hasGaps()).as("requests in flight, after run " + run).isEqualTo(!isLast);
            }
        }
        assertThat(SimulatedEngines.numStarted()).isEqualTo(1 + 2 + 1);
        assertThat(texts()).isEqualTo(expected());
        texts().forEach((i, texts) -> {
            if (hasGrammar(i)) {
                assertThat(texts).allMatch(text -> text.matches(regex(i)));
            }
        });
    }

    /** Whether a record has no answer though a later one has. */
    private static boolean hasGaps() throws Exception {
        NavigableMap<Long, List<String>> texts = texts();
        return texts.lastKey() >= texts.size();
    }

    private static NavigableMap<Long, List<String>> texts() throws Exception {
        TreeMap<Long, List<String>> texts = new TreeMap<>();
        for (ResultRecord result : CommittedResults.COMMITTED) {
            JsonNode json = JSON.readTree(result.value());
            List<String> ofRecord = new ArrayList<>();
            json.path("choices")
                    .forEach(choice -> ofRecord.add(choice.path("text").asText()));
            String id = json.path("custom_id").asText();
            @Nullable List<String> earlier = texts.put(Long.valueOf(id.substring(id.lastIndexOf('-') + 1)), ofRecord);
            assertThat(earlier).as("an earlier answer to " + id).isNull();
        }
        return texts;
    }

    private static Map<Long, List<String>> expected() throws Exception {
        long numRecords = texts().lastKey() + 1;
        List<GenerationRequest> requests = new ArrayList<>();
        for (long i = 0; i < numRecords; i++) {
            long seed = RequestSeed.derive(0, "prompts-0-" + i);
            for (int index = 0; index < (hasChoices(i) ? NUM_CHOICES : 1); index++) {
                SamplingParams sampling = SamplingParams.builder()
                        .temperature(0.8f)
                        .maxTokens(maxTokens(i))
                        .seed(index == 0 ? seed : RequestSeed.ofChoice(seed, index))
                        .grammar(hasGrammar(i) ? GrammarSpec.of(GrammarSpec.Kind.REGEX, regex(i)) : null)
                        .build();
                requests.add(new GenerationRequest(i * NUM_CHOICES + index, Prompts.ids(prompt(i)), sampling));
            }
        }
        List<String> texts = SimulatedEngines.undisturbed(requests);
        Map<Long, List<String>> expected = new TreeMap<>();
        for (int i = 0; i < texts.size(); i++) {
            long record = requests.get(i).requestId() / NUM_CHOICES;
            expected.computeIfAbsent(record, key -> new ArrayList<>()).add(texts.get(i));
        }
        return expected;
    }
}
