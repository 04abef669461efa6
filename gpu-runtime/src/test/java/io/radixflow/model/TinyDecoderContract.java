package io.radixflow.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.Backend;
import io.radixflow.backend.KvLayout;
import io.radixflow.testkit.GgufWriter;
import io.radixflow.testkit.SafetensorsWriter;
import io.radixflow.testkit.SequenceRunner;
import io.radixflow.testkit.TinyDecoder;
import io.radixflow.weights.SafetensorsFolder;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorDecoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a backend's logits of the tiny decoders must be, for every architecture and kind of rope, however the tokens are cut into steps. */
abstract class TinyDecoderContract {

    /** FEATURES' bound for fp32 logits; those of the tiny decoders have a standard deviation of 3.5. */
    private static final float MAX_DIFFERENCE = 1e-4f;

    private static final int CHUNK_LEN = 7;

    @TempDir
    Path folder;

    /** A backend with exact fp32 (or better) arithmetic. */
    abstract Backend newBackend();

    static Stream<Arguments> everyArchitectureAndRope() {
        return TinyDecoder.ARCHITECTURES.stream()
                .flatMap(architecture -> TinyDecoder.ROPE_KINDS.stream().map(kind -> Arguments.of(architecture, kind)));
    }

    static Stream<Arguments> everyArchitectureAndKvType() {
        return TinyDecoder.ARCHITECTURES.stream()
                .flatMap(architecture -> Stream.of(KvLayout.ElementType.FLOAT32, KvLayout.ElementType.FLOAT16)
                        .map(type -> Arguments.of(architecture, type)));
    }

    @ParameterizedTest
    @MethodSource("everyArchitectureAndRope")
    void logitsEqualTransformersHoweverTokensAreCut(String architecture, String ropeKind) {
        TinyDecoder.write(architecture, ropeKind, folder);
        assertLogits(folder, architecture, ropeKind);
    }

    @ParameterizedTest
    @MethodSource("everyArchitectureAndRope")
    void theSameNetworkAsGgufGivesTheSame(String architecture, String ropeKind) {
        TinyDecoder.write(architecture, ropeKind, folder);
        if (!ropeKind.equals("dynamic")) { // which GGUF has no word for
            assertLogits(gguf(folder), architecture, ropeKind);
        }
    }

    private void assertLogits(Path path, String architecture, String ropeKind) {
        int[] ids = TinyDecoder.ids(architecture, ropeKind);
        try (ModelFiles files = ModelFiles.open(path);
                Backend backend = newBackend()) {
            // The golden of the kind that depends on the length is one sequence of that length.
            Model model = Models.load(files, backend, ids.length, ids.length, ids.length);
            SequenceRunner runner =
                    new SequenceRunner(model, backend, ids.length, ids.length, KvLayout.ElementType.FLOAT32);
            for (int stepLen : new int[] {ids.length, CHUNK_LEN, 1}) {
                runner.restart();
                float[][] logits = runner.append(ids, stepLen);
                float worst = worst(logits, architecture, ropeKind);
                System.out.printf(
                        "%s %s %s %s, %d tokens in steps of %d: max difference %.2g%n",
                        getClass().getSimpleName(),
                        Files.isDirectory(path) ? "safetensors" : "GGUF",
                        architecture,
                        ropeKind,
                        ids.length,
                        stepLen,
                        worst);
                assertThat(worst).isLessThanOrEqualTo(MAX_DIFFERENCE);
            }
        }
    }

    private static float worst(float[][] logits, String architecture, String ropeKind) {
        float worst = 0;
        int numCompared = 0;
        for (int position = 0; position < logits.length; position++) {
            float[] expected = TinyDecoder.logits(architecture, ropeKind, position, logits.length);
            for (int i = 0; expected != null && i < expected.length; i++) {
                float difference = Math.abs(logits[position][i] - expected[i]);
                // written so that a NaN is the worst of all
                worst = difference <= worst ? worst : difference;
                numCompared++;
            }
        }
        assertThat(numCompared).isGreaterThan(logits.length / 4 * TinyDecoder.VOCAB_SIZE);
        return worst;
    }

    @ParameterizedTest
    @MethodSource("everyArchitectureAndKvType")
    void likeliestTokensOfBf16WeightsAgree(String architecture, KvLayout.ElementType kvType) {
        TinyDecoder.write(architecture, "default", folder);
        int[][] golden = TinyDecoder.bf16Argmax(architecture);
        int[] ids = golden[0];
        int numEqual = 0;
        int numEqualToBf16 = 0;
        try (ModelFiles files = ModelFiles.open(asBf16(folder));
                Backend backend = newBackend()) {
            int len = TinyDecoder.TRAINED_LEN;
            Model model = Models.load(files, backend, len, len);
            SequenceRunner runner = new SequenceRunner(model, backend, len, len, kvType);
            for (int from = 0; from < ids.length; from += len) {
                runner.restart();
                float[][] logits = runner.append(Arrays.copyOfRange(ids, from, from + len), len);
                for (int i = 0; i < len; i++) {
                    int likeliest = Agreement.argmax(logits[i]);
                    numEqual += likeliest == golden[1][from + i] ? 1 : 0;
                    numEqualToBf16 += likeliest == golden[2][from + i] ? 1 : 0;
                }
            }
        }
        System.out.printf(
                "%s %s, bf16 weights, KV %s: likeliest token equal to transformers' fp32 arithmetic at %d of %d,"
                        + " to its bf16 arithmetic at %d%n",
                getClass().getSimpleName(), architecture, kvType, numEqual, ids.length, numEqualToBf16);
        assertThat(ids.length).isGreaterThanOrEqualTo(2000);
        assertThat(numEqual).isGreaterThanOrEqualTo((int) Math.ceil(0.99 * ids.length));
    }

    /** The folder's model in one file of bf16, rounded to nearest even. */
    private static Path asBf16(Path folder) {
        SafetensorsWriter writer = new SafetensorsWriter();
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            for (String name : tensors.names()) {
                TensorData tensor = tensors.tensor(name);
                float[] values = TensorDecoder.decode(tensor);
                ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
                for (float value : values) {
                    int bits = Float.floatToRawIntBits(value);
                    bytes.putShort((short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16));
                }
                long[] shape =
                        tensor.rows() == 1 ? new long[] {tensor.cols()} : new long[] {tensor.rows(), tensor.cols()};
                writer.tensor(name, "BF16", bytes.array(), shape);
            }
        }
        try {
            Files.deleteIfExists(folder.resolve("model.safetensors.index.json"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        writer.write(folder.resolve("model.safetensors"));
        return folder;
    }

    /** The folder's model as a converter to GGUF writes it, in fp32. */
    private static Path gguf(Path folder) {
        try (ModelFiles files = ModelFiles.open(folder);
                SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            ModelConfig config = files.config();
            GgufWriter writer = header(config);
            for (TensorRole role : TensorRole.values()) {
                for (int layer = 0; role.isIn(config) && layer < (role.isOfLayer() ? config.numLayers() : 1); layer++) {
                    float[] values =
                            TensorDecoder.decode(tensors.tensor(role.name(TensorRole.Naming.HUGGING_FACE, layer)));
                    boolean isPermuted =
                            config.architecture().equals("llama") && (role == TensorRole.Q || role == TensorRole.K);
                    int rows = role.rows(config);
                    writer.tensor(
                            role.name(TensorRole.Naming.GGUF, layer),
                            rows == 1 ? 0 : rows,
                            role.cols(config),
                            isPermuted ? toAdjacent(values, config.headDim(), role.cols(config)) : values);
                }
            }
            return writer.write(folder.resolve("tiny.gguf"));
        }
    }

    private static GgufWriter header(ModelConfig config) {
        String prefix = config.architecture() + ".";
        GgufWriter writer = new GgufWriter()
                .put("general.architecture", config.architecture())
                .put(prefix + "block_count", config.numLayers())
                .put(prefix + "embedding_length", config.hidden())
                .put(prefix + "feed_forward_length", config.ffn())
                .put(prefix + "attention.head_count", config.numHeads())
                .put(prefix + "attention.head_count_kv", config.numKvHeads())
                .put(prefix + "attention.key_length", config.headDim())
                .put(prefix + "attention.value_length", config.headDim())
                .put(prefix + "attention.layer_norm_rms_epsilon", config.rmsEps())
                .put(prefix + "context_length", config.trainedLen())
                .put(prefix + "rope.freq_base", config.rope().base());
        RopeScaling scaling = config.rope().scaling();
        if (scaling instanceof RopeScaling.Linear linear) {
            writer.put(prefix + "rope.scaling.type", "linear");
            writer.put(prefix + "rope.scaling.factor", (float) linear.factor());
        } else if (scaling instanceof RopeScaling.Yarn yarn) {
            writer.put(prefix + "rope.scaling.type", "yarn");
            writer.put(prefix + "rope.scaling.factor", (float) yarn.factor());
            writer.put(prefix + "rope.scaling.original_context_length", yarn.originalLen());
        } else if (scaling instanceof RopeScaling.Llama3) {
            int numPairs = config.headDim() / 2;
            float[] plain = new RopeScaling.Default().frequencies(config.rope().base(), config.headDim(), 1);
            float[] scaled = scaling.frequencies(config.rope().base(), config.headDim(), 1);
            float[] divisors = new float[numPairs];
            for (int pair = 0; pair < numPairs; pair++) {
                divisors[pair] = plain[pair] / scaled[pair];
            }
            writer.tensor("rope_freqs.weight", 0, numPairs, divisors);
        }
        return writer;
    }

    /** Rows of each head from (first half, second half) to (pair, pair, ...), as converters do for llama's q and k. */
    private static float[] toAdjacent(float[] rows, int headDim, int cols) {
        float[] permuted = new float[rows.length];
        int half = headDim / 2;
        for (int row = 0; row < rows.length / cols; row++) {
            int inHead = row % headDim;
            int to = row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
            System.arraycopy(rows, row * cols, permuted, to * cols, cols);
        }
        return permuted;
    }
}
