package io.radixflow.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WorkloadsTest {

    private static final Path FOLDER = Path.of(System.getProperty("radixflow.models"))
            .resolveSibling("bench")
            .resolve("workloads");
    private static final Path PEERS = FOLDER.resolve("peers.json");

    private final WorkloadSpec spec = WorkloadFile.spec(PEERS);
    private final Workloads workloads = new Workloads(spec);

    /** The checksum that the peers' generator prints: every token id, then the output length, of each request. */
    private static String digest(List<Turn> requests) {
        long hash = TokenStream.emptyHash();
        for (Turn request : requests) {
            for (int id : request.tokens()) {
                hash = TokenStream.fnv1a(hash, id);
            }
            hash = TokenStream.fnv1a(hash, request.outputLen());
        }
        return String.format("%016x", hash);
    }

    private static JsonNode check() throws IOException {
        return new ObjectMapper().readTree(Files.readAllBytes(PEERS)).path("check");
    }

    private WorkloadItem item(String name) {
        return workloads.items().stream()
                .filter(item -> item.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void requestsHaveTheChecksumsOfTheFile() throws IOException {
        JsonNode check = check();
        assertThat(String.format("%016x", TokenStream.fnv1a("W1/rep0/b1/0")))
                .isEqualTo(check.path("fnv1a('W1/rep0/b1/0')").textValue());
        assertThat(check.path("first 4 tokens of W1/rep0/b1/0").toString().replace(",", ", "))
                .isEqualTo(Arrays.toString(workloads.tokens("W1/rep0/b1/0", 4)));
        int[] order = new TokenStream("W3/rep0/order").shuffled(2048);
        assertThat(check.path("first 8 of shuffled('W3/rep0/order', 2048)")
                        .toString()
                        .replace(",", ", "))
                .isEqualTo(Arrays.toString(Arrays.copyOf(order, 8)));
        assertThat(digest(workloads.decodeBatch(Objects.requireNonNull(spec.w1()), 0, 8)))
                .isEqualTo(check.path("digest W1 rep0 batch 8").textValue());
        assertThat(digest(workloads.prefill(Objects.requireNonNull(spec.w2()), 0, 1)))
                .isEqualTo(check.path("digest W2 rep0 case 1").textValue());
        assertThat(digest(workloads.tree(Objects.requireNonNull(spec.w6()), 0).subList(0, 16)))
                .isEqualTo(check.path("digest W6 rep0 first 16").textValue());
        assertThat(digest(workloads
                        .labelling(Objects.requireNonNull(spec.w3()), 0)
                        .subList(0, 16)))
                .isEqualTo(check.path("digest W3 rep0 first 16").textValue());
        assertThat(digest(workloads.chat(Objects.requireNonNull(spec.w4()), 0)))
                .isEqualTo(check.path("digest W4 rep0").textValue());
    }

    /** W5 has no checksum in the file; this one comes from the peers' generator, over the users' tokens of all turns in order. */
    @Test
    void conversationsHaveTheTokensOfThePeersGenerator() {
        List<Turn> turns = workloads.conversations(Objects.requireNonNull(spec.w5()), 0).stream()
                .flatMap(List::stream)
                .toList();
        assertThat(turns).hasSize(512);
        assertThat(digest(turns)).isEqualTo("827f37b3f4827df7");
    }

    @Test
    void everyWorkloadIsAnItem() {
        assertThat(workloads.items().stream().map(WorkloadItem::name))
                .containsExactly(
                        "w1-b1",
                        "w1-b8",
                        "w1-b64",
                        "w1-b256",
                        "w1-b1-sampled",
                        "w1-b8-sampled",
                        "w1-b64-sampled",
                        "w1-b256-sampled",
                        "w2-1x8192",
                        "w2-16x2048",
                        "w3",
                        "w4",
                        "w4-sampled",
                        "w5",
                        "w6");
        assertThat(item("w4-sampled").sampling()).isEqualTo(new WorkloadItem.Sampling(0.7f, 0.8f, 20));
        assertThat(item("w1-b8").rounds().apply(0).stream().map(Round::name))
                .containsExactly("w1-b8-cold", "w1-b8-steady");
        assertThat(workloads.maxTokenId()).isEqualTo(149_999);
    }

    /**
     * As in the peers' table, where the unique tokens are 278,528, 519,333, 131,072 and 73,728: a few random tokens begin alike, and each of the 384
     * later turns of W5 computes the last token of the answer before it.
     */
    @ParameterizedTest
    @CsvSource({
        "w3, 8650752, 278525, 0.968",
        "w4, 519333, 519331, 0",
        "w5, 425984, 131455, 0.691",
        "w6, 1343488, 73728, 0.945",
    })
    void theOfflineOptimumIsTheTrieOfAllPrompts(String name, long promptTokens, long uniqueTokens, double hitRate) {
        Round round = item(name).rounds().apply(0).get(0);
        assertThat(round.numPromptTokens()).isEqualTo(promptTokens);
        assertThat(PrefixOptimum.prefillTokens(round)).isEqualTo(uniqueTokens);
        assertThat(1 - (double) uniqueTokens / promptTokens)
                .isCloseTo(hitRate, org.assertj.core.data.Offset.offset(0.0005));
    }

    @Test
    void equalPromptsCostTheirLastTokenEach() {
        int[] longer = {1, 2, 3, 4};
        List<List<Turn>> conversations = List.of(
                List.of(new Turn(longer, 1)),
                List.of(new Turn(new int[] {1, 2}, 1)),
                List.of(new Turn(longer, 1)),
                List.of(new Turn(new int[] {1, 5}, 1)));
        assertThat(PrefixOptimum.prefillTokens(new Round("r", "r", true, conversations)))
                .isEqualTo(1 + 1 + 2 + 1 + 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"small.json", "shared-prefix-100k.json"})
    void ownFilesAreReadable(String name) {
        assertThat(WorkloadFile.read(FOLDER.resolve(name)).items()).isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{ | is no JSON text",
                "[] | must be a JSON object",
                "{\"version\": 2} | needs 1 in 'version'",
                "{\"version\": 1, \"W7\": {}} | has the unknown field 'W7'",
                "{\"version\": 1, \"token_range\": [5, 5]} | needs two ascending token ids in 'token_range'",
                "{\"version\": 1, \"token_range\": [5, 9]} | has in 'greedy' what can't be: temperature",
                "{\"version\": 1, \"token_range\": [5, 9], \"greedy\": {\"temperature\": 0},"
                        + " \"sampled\": {\"temperature\": 1}, \"W1\": {\"batches\": [0]}} | in 'batches'",
            })
    void aWrongFileIsRefusedInOneLine(String text, String message, @TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("mine.json"), text);
        assertThatThrownBy(() -> WorkloadFile.read(file))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("mine.json")
                .hasMessageContaining(message);
    }
}
