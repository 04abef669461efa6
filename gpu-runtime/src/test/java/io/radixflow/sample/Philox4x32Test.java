package io.radixflow.sample;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class Philox4x32Test {

    @Test
    void givesThePapersKnownAnswers() {
        assertThat(scrambled(0, 0, 0, 0, 0)).containsExactly(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
        assertThat(scrambled(-1, -1, -1, -1, -1)).containsExactly(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
        assertThat(scrambled(0x299f31d0_a4093822L, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344))
                .containsExactly(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
    }

    @Test
    void uniformNumbersFillTheUnitIntervalEvenly() {
        int[] block = new int[4];
        int[] counts = new int[64];
        for (int position = 0; position < 640_000; position++) {
            double uniform = Philox4x32.uniform(0x1234_5678_9abc_def0L, position, block);
            assertThat(uniform >= 0 && uniform < 1).isTrue();
            counts[(int) (uniform * counts.length)]++;
        }
        double chiSquare = 0;
        for (int count : counts) {
            chiSquare += (count - 10_000.0) * (count - 10_000.0) / 10_000;
        }
        assertThat(chiSquare).isBetween(25.0, 120.0); // 63 degrees of freedom: both tails below 1e-5
    }

    @Test
    void numbersOfNeighbouringSeedsAndPositionsDiffer() {
        int[] block = new int[4];
        double number = Philox4x32.uniform(7, 100, block);
        assertThat(Philox4x32.uniform(7, 100, block)).isEqualTo(number);
        assertThat(Philox4x32.uniform(7, 101, block)).isNotEqualTo(number);
        assertThat(Philox4x32.uniform(8, 100, block)).isNotEqualTo(number);
        assertThat(Philox4x32.uniform(7 + (1L << 32), 100, block)).isNotEqualTo(number);
    }

    private static int[] scrambled(long key, int... counter) {
        Philox4x32.scramble(key, counter);
        return counter;
    }
}
