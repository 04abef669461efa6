package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.engine.SamplingParams;
import io.radixflow.loop.Engines;
import io.radixflow.testkit.RecordingListener;
import io.radixflow.text.ChatTemplate;
import io.radixflow.text.TextModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models with real weights answer the quickstart's prompts on the GPU; the CPU's fp32 arithmetic on the same file is the measure. */
@Tag("gpu")
final class RealWeightsGpuTest {

    private static final int OUTPUT_LEN = 48;

    /** What an engine said to each prompt, and what it takes for likeliest at each position of a teacher's answers. */
    private record Answers(List<int[]> tokens, List<String> texts, List<PromptLogprobs> scored) {}

    @ParameterizedTest
    @ValueSource(strings = {"SmolLM2-135M", "Qwen2.5-Coder-0.5B"})
    void answersAsTheCpuDoes(String name) throws IOException {
        Path file = weights(name);
        Assumptions.assumeTrue(Files.exists(file), "no weights of " + name);
        List<int[]> prompts = prompts(file);
        Answers cpu = answers(file, "cpu", prompts, null);
        Answers gpu = answers(file, "cuda", prompts, cpu);
        Answers exact = answers(file, "cpu", prompts, cpu);
        int positions = 0;
        int same = 0;
        double sum = 0;
        double worst = 0;
        for (int i = 0; i < prompts.size(); i++) {
            System.out.printf("--- %s%ncpu: %s%ngpu: %s%n", name, cpu.texts.get(i), gpu.texts.get(i));
            PromptLogprobs expected = exact.scored.get(i);
            PromptLogprobs actual = gpu.scored.get(i);
            for (int p = expected.start(); p < expected.start() + expected.len(); p++) {
                positions++;
                same += expected.alternativeId(p, 0) == actual.alternativeId(p, 0) ? 1 : 0;
                double difference = Math.abs(expected.logprob(p) - actual.logprob(p));
                sum += difference;
                worst = Math.max(worst, difference);
            }
        }
        System.out.printf(
                "%s: the likeliest token is the same at %d of %d positions; log-probabilities differ by %.4f on average, at most %.3f%n",
                name, same, positions, sum / positions, worst);
        assertThat((double) same / positions).isGreaterThanOrEqualTo(0.99);
        assertThat(sum / positions).isLessThan(0.02);
    }

    /** Answers the prompts, or, with a teacher, scores its answers too. */
    private static Answers answers(Path file, String device, List<int[]> prompts, @Nullable Answers teacher)
            throws IOException {
        Map<String, String> options = new HashMap<>(Map.of(
                "model-path",
                file.toString(),
                "device",
                device,
                "max-total-tokens",
                "16384",
                "context-length",
                "2048"));
        options.put(
                device.equals("cpu") ? "dtype" : "cuda-library-path",
                device.equals("cpu") ? "float32" : GpuModel.LIBRARY);
        RecordingListener listener = new RecordingListener();
        int numPrompts = prompts.size();
        try (Engine engine = Engines.start(EngineConfig.of(options));
                EngineSession session = engine.open(listener)) {
            for (int i = 0; i < numPrompts; i++) {
                session.submit(new GenerationRequest(i, prompts.get(i), SamplingParams.greedy(OUTPUT_LEN)));
                if (teacher != null) {
                    int[] prompt = prompts.get(i);
                    int[] output = teacher.tokens.get(i);
                    int[] all = Arrays.copyOf(prompt, prompt.length + output.length);
                    System.arraycopy(output, 0, all, prompt.length, output.length);
                    session.submit(GenerationRequest.builder(numPrompts + i, all, SamplingParams.greedy(1))
                            .promptLogprobs(1, prompt.length)
                            .build());
                }
            }
            listener.awaitEnded(teacher == null ? numPrompts : 2 * numPrompts);
        }
        Answers answers = new Answers(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (int i = 0; i < numPrompts; i++) {
            answers.tokens.add(
                    listener.of(i).tokens().stream().mapToInt(Integer::intValue).toArray());
            answers.texts.add(listener.of(i).text().strip().replace('\n', ' '));
            if (teacher != null) {
                answers.scored.add(
                        Objects.requireNonNull(listener.of(numPrompts + i).promptLogprobs()));
            }
        }
        return answers;
    }

    /** The conversations of {@code examples/prompts.jsonl}. */
    private static List<int[]> prompts(Path file) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        List<int[]> prompts = new ArrayList<>();
        EngineConfig config = EngineConfig.of(Map.of("model-path", file.toString()));
        try (TextModel text = Engines.loadText(config);
                Stream<String> lines = Files.lines(examples())) {
            ChatTemplate template = Objects.requireNonNull(text.chatTemplate());
            for (String line : (Iterable<String>) lines::iterator) {
                Object messages = messages(mapper, line);
                if (messages != null) {
                    prompts.add(text.tokenizer()
                            .encode(template.render(Map.of("messages", messages, "add_generation_prompt", true))));
                }
            }
        }
        return prompts;
    }

    /** Null if the line is no conversation; one of them isn't even JSON. */
    private static @Nullable Object messages(ObjectMapper mapper, String line) {
        try {
            return mapper.readValue(line, new TypeReference<Map<String, Object>>() {})
                    .get("messages");
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    private static Path examples() {
        Path here = Path.of("examples/prompts.jsonl");
        return Files.exists(here) ? here : Path.of("..").resolve(here);
    }

    private static Path weights(String name) throws IOException {
        Path models = Path.of(System.getProperty("radixflow.models", "../models"));
        if (!Files.exists(models)) {
            return models;
        }
        try (Stream<Path> files = Files.walk(models)) {
            return files.filter(file -> file.getFileName().toString().startsWith(name)
                            && file.toString().endsWith(".gguf"))
                    .findFirst()
                    .orElse(models.resolve(name));
        }
    }
}
