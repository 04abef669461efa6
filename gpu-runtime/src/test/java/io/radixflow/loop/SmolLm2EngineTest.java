package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.testkit.RecordingListener;
import io.radixflow.text.ChatTemplate;
import io.radixflow.text.TextModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A real model through the front door. */
@Tag("model")
class SmolLm2EngineTest {

    @Test
    void knowsTheCapitalOfFranceAndRemembersThePrompt() throws IOException {
        EngineConfig config = EngineConfig.of(Map.of("model-path", weights().toString(), "max-total-tokens", "4096"));
        try (TextModel text = Engines.loadText(config);
                Engine engine = Engines.start(config)) {
            ChatTemplate template = Objects.requireNonNull(text.chatTemplate());
            String prompt = template.render(Map.of(
                    "messages",
                    List.of(Map.of("role", "user", "content", "What is the capital of France?")),
                    "add_generation_prompt",
                    true));
            int[] promptIds = text.tokenizer().encode(prompt);
            RecordingListener listener = new RecordingListener();
            try (EngineSession session = engine.open(listener)) {
                session.submit(new GenerationRequest(1, promptIds, SamplingParams.greedy(32)));
                listener.awaitEnded(1);
                session.submit(new GenerationRequest(2, promptIds, SamplingParams.greedy(32)));
                listener.awaitEnded(2);
            }
            System.out.println("SmolLM2: " + listener.of(1).text() + " " + engine.stats());
            assertThat(listener.of(1).text()).contains("Paris");
            assertThat(listener.of(1).finishReason()).isEqualTo(FinishReason.STOP);
            assertThat(listener.of(2).text()).isEqualTo(listener.of(1).text());
            assertThat(listener.of(2).cachedLen()).isEqualTo(promptIds.length - 1);
        }
    }

    private static Path weights() throws IOException {
        Path models = Path.of(System.getProperty("radixflow.models", "models"));
        try (Stream<Path> files = Files.walk(models)) {
            return files.filter(file -> file.getFileName().toString().startsWith("SmolLM2-135M-Instruct")
                            && file.toString().endsWith(".gguf"))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no SmolLM2 weights under " + models + "; fetch the model"));
        }
    }
}
