package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.cuda.StreamedGemm.Division;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Which division a product gets on a GPU of 132 multiprocessors. */
final class StreamedGemmTest {

    private static final int MULTIPROCESSORS = 132;

    @Test
    void dividesLargeProductsUntilAllMultiprocessorsRead() {
        assertThat(plain(6144, 4096)).isEqualTo(new Division(64, 1));
        assertThat(plain(4096, 4096)).isEqualTo(new Division(64, 2));
        assertThat(plain(4096, 12288)).isEqualTo(new Division(64, 2));
    }

    @Test
    void dividesSmallProductsUntilBlocksAreMany() {
        assertThat(plain(4096, 1024)).isEqualTo(new Division(64, 1));
        assertThat(plain(1024, 2048)).isEqualTo(new Division(64, 4));
        assertThat(plain(1024, 3072)).isEqualTo(new Division(64, 4));
    }

    @Test
    void widensTilesOfManyRows() {
        assertThat(plain(16384, 4096)).isEqualTo(new Division(128, 1));
        assertThat(gated(6144, 1024)).isEqualTo(new Division(64, 1, true));
        assertThat(gated(24576, 4096)).isEqualTo(new Division(192, 1, true));
    }

    @Test
    void leavesOthersAlone() {
        assertThat(plain(24576, 4096)).isNull();
        assertThat(plain(512, 4096)).isNull();
        assertThat(plain(4100, 4096)).isNull();
        assertThat(plain(4096, 4100)).isNull();
        assertThat(gated(57344, 4096)).isNull();
    }

    private static @Nullable Division plain(int weightRows, int cols) {
        return StreamedGemm.best(StreamedGemm.DIVISIONS, weightRows, cols, MULTIPROCESSORS);
    }

    private static @Nullable Division gated(int weightRows, int cols) {
        return StreamedGemm.best(StreamedGemm.GATED_DIVISIONS, weightRows, cols, MULTIPROCESSORS);
    }
}
