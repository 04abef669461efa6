package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.testkit.RecordingListener;
import io.radixflow.testkit.TinyDecoder;
import io.radixflow.testkit.TinyModel;
import io.radixflow.text.TextModel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A model without a tokenizer, and with another's. */
@Timeout(120)
class LentTextTest {

    @TempDir
    Path folder;

    @TempDir
    Path lender;

    @Test
    void anEngineWithoutATokenizerWorksOnTokenIds() {
        for (String format : new String[] {"auto", "dummy"}) {
            EngineConfig config = config(Map.of("load-format", format));
            RecordingListener listener = new RecordingListener();
            try (Engine engine = Engines.start(config);
                    EngineSession session = engine.open(listener)) {
                SamplingParams params =
                        SamplingParams.builder().maxTokens(5).ignoreEos(true).build();
                assertThat(session.submit(new GenerationRequest(1, new int[] {3, 4, 5}, params)))
                        .isTrue();
                listener.awaitEnded(1);
            }
            assertThat(listener.of(1).tokens()).hasSize(5);
        }
    }

    @Test
    void textNeedsATokenizerWhichAnotherModelMayLend() {
        assertThatThrownBy(() -> Engines.loadText(config(Map.of())))
                .isInstanceOf(EngineException.class)
                .hasMessage(folder + " has no tokenizer; give one with --tokenizer-path");
        String gguf = TinyModel.gguf(TinyModel.F32, lender).toString();
        try (TextModel text = Engines.loadText(config(Map.of("tokenizer-path", gguf)))) {
            assertThat(text.tokenizer().encode("<|im_end|>")).containsExactly(2);
            assertThat(text.chatTemplate()).isNotNull();
            assertThat(text.eosIds()).containsExactly(2);
            assertThat(text.contextLen()).isEqualTo(4 * TinyDecoder.TRAINED_LEN);
        }
    }

    @Test
    void theContextIsCheckedAgainstTheRopeScaling() {
        assertThatThrownBy(() -> Engines.start(config(Map.of("context-length", "257"))))
                .isInstanceOf(EngineException.class)
                .hasMessageStartingWith("--context-length 257 is outside 1 to 256, what " + folder + " allows");
    }

    private EngineConfig config(Map<String, String> options) {
        Map<String, String> texts = new HashMap<>(options);
        texts.put("model-path", TinyDecoder.write("qwen3", "yarn", folder).toString());
        texts.put("max-total-tokens", "500");
        return EngineConfig.of(texts);
    }
}
