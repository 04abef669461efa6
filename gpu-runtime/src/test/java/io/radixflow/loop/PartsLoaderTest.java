package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.testkit.GgufWriter;
import io.radixflow.weights.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartsLoaderTest {

    private static final String LARGE = "output.weight";

    @TempDir
    Path folder;

    @Test
    void weightsThatTheHeapCannotHoldAreRefusedBeforeTheyAreLoaded() throws IOException {
        long weights = Runtime.getRuntime().maxMemory() / 4;
        Path path = new GgufWriter()
                .put("general.architecture", "llama")
                .put("llama.block_count", 1)
                .put("llama.context_length", 16)
                .put("llama.embedding_length", 32)
                .put("llama.feed_forward_length", 64)
                .put("llama.attention.head_count", 4)
                .put("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .put("llama.vocab_size", 8)
                .entry(LARGE, new long[] {weights}, TensorType.F32.ggmlId(), 0)
                .write(folder.resolve("large.gguf"));
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) { // a sparse file
            channel.write(ByteBuffer.allocate(1), channel.size() + 4 * weights);
        }
        assertThatThrownBy(() -> Engines.start(EngineConfig.of(Map.of("model-path", path.toString())))
                        .close())
                .isInstanceOf(EngineException.class)
                .hasFieldOrPropertyWithValue("category", EngineException.Category.CONFIGURATION)
                .hasMessageMatching(
                        "large has \\d+\\.\\d\\d GB of weights, but --mem-fraction-static 0\\.6 of the Java heap"
                                + " leaves \\d+\\.\\d\\d GB for weights and KV cache; give Java more heap \\(-Xmx\\) or raise"
                                + " --mem-fraction-static");
    }
}
