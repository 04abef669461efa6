package io.radixflow.weights;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class TensorDecoderTest {

    private static final int BLOCK_LEN = 32;

    @Test
    void floatsDecodeAsTheyAre() {
        assertThat(decode(TensorType.F32, 2, bytes(8).putFloat(1.5f).putFloat(-3f)))
                .containsExactly(1.5f, -3f);
        assertThat(decode(TensorType.F16, 2, bytes(4).putShort((short) 0x3C00).putShort((short) 0xC000)))
                .containsExactly(1f, -2f);
        assertThat(decode(TensorType.BF16, 2, bytes(4).putShort((short) 0x3F80).putShort((short) 0xC0A0)))
                .containsExactly(1f, -5f);
    }

    @Test
    void eightBitBlocksAreFactorTimesSignedInteger() {
        ByteBuffer block = bytes(34).putShort(Float16.fromFloat(0.5f));
        for (int i = 0; i < BLOCK_LEN; i++) {
            block.put((byte) (i - 16));
        }
        float[] weights = decode(TensorType.Q8_0, BLOCK_LEN, block);
        for (int i = 0; i < BLOCK_LEN; i++) {
            assertThat(weights[i]).isEqualTo((i - 16) * 0.5f);
        }
    }

    @Test
    void fourBitBlocksHoldTheFirstHalfInLowBits() {
        ByteBuffer symmetric = bytes(18).putShort(Float16.fromFloat(0.25f));
        ByteBuffer affine = bytes(20).putShort(Float16.fromFloat(0.25f)).putShort(Float16.fromFloat(-1f));
        for (int i = 0; i < BLOCK_LEN / 2; i++) {
            byte pair = (byte) (i | (15 - i) << 4);
            symmetric.put(pair);
            affine.put(pair);
        }
        float[] symmetricWeights = decode(TensorType.Q4_0, BLOCK_LEN, symmetric);
        float[] affineWeights = decode(TensorType.Q4_1, BLOCK_LEN, affine);
        for (int i = 0; i < BLOCK_LEN / 2; i++) {
            assertThat(symmetricWeights[i]).isEqualTo(0.25f * (i - 8));
            assertThat(symmetricWeights[i + 16]).isEqualTo(0.25f * (7 - i));
            assertThat(affineWeights[i]).isEqualTo(0.25f * i - 1);
            assertThat(affineWeights[i + 16]).isEqualTo(0.25f * (15 - i) - 1);
        }
    }

    @Test
    void aRowStartsAfterTheRowsBeforeIt() {
        ByteBuffer blocks = bytes(2 * 34);
        blocks.putShort(34, Float16.fromFloat(2f)).put(36, (byte) 3);
        TensorData tensor = new TensorData("t", TensorType.Q8_0, 2, BLOCK_LEN, blocks);
        float[] into = new float[40];
        TensorDecoder.decodeRow(tensor, 1, into, 8);
        assertThat(into[8]).isEqualTo(6f);
        assertThat(TensorDecoder.decode(tensor)[BLOCK_LEN]).isEqualTo(6f);
    }

    private static float[] decode(TensorType type, int cols, ByteBuffer filled) {
        return TensorDecoder.decode(new TensorData("t", type, 1, cols, filled.flip()));
    }

    private static ByteBuffer bytes(int capacity) {
        return ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
    }
}
