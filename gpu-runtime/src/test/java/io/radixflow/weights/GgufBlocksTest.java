package io.radixflow.weights;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/** Random blocks of every format decode to exactly what the Python package gguf makes of them. */
class GgufBlocksTest {

    private static final int ROWS = 2;

    @Test
    void everyFormatDecodesAsGgufDecodesIt() throws IOException {
        ByteBuffer golden = golden();
        Set<TensorType> seen = EnumSet.of(TensorType.F32); // nothing to decode
        while (golden.hasRemaining()) {
            TensorType type = typeOf(golden.getInt());
            int numWeights = golden.getInt();
            ByteBuffer blocks = next(golden, Math.toIntExact(type.bytes(numWeights)));
            float[] expected = new float[numWeights];
            next(golden, 4 * numWeights)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(expected);
            TensorData tensor = new TensorData(type.name(), type, ROWS, numWeights / ROWS, blocks);
            float[] decoded = TensorDecoder.decode(tensor);
            for (int i = 0; i < numWeights; i++) {
                // of primitives, so that a zero equals a negative one
                assertThat(decoded[i] == expected[i])
                        .as("%s weight %d: %s instead of %s", type, i, decoded[i], expected[i])
                        .isTrue();
            }
            seen.add(type);
        }
        assertThat(seen).containsExactlyInAnyOrder(TensorType.values());
    }

    private static TensorType typeOf(int ggmlId) {
        for (TensorType type : TensorType.values()) {
            if (type.ggmlId() == ggmlId) {
                return type;
            }
        }
        throw new IllegalArgumentException("GGML type " + ggmlId);
    }

    private static ByteBuffer next(ByteBuffer golden, int length) {
        ByteBuffer slice = golden.slice(golden.position(), length);
        golden.position(golden.position() + length);
        return slice;
    }

    private static ByteBuffer golden() throws IOException {
        try (InputStream in = Objects.requireNonNull(
                        GgufBlocksTest.class.getResourceAsStream("/golden/gguf-blocks/blocks.bin.gz"));
                GZIPInputStream unpacked = new GZIPInputStream(in)) {
            return ByteBuffer.wrap(unpacked.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
        }
    }
}
