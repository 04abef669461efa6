package io.radixflow.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

final class WorkerPoolTest {

    @Test
    void handlesEachIndexOnce() {
        try (WorkerPool pool = new WorkerPool(3)) {
            for (int size = 0; size < 50; size++) {
                AtomicIntegerArray visits = new AtomicIntegerArray(size);
                pool.run(
                        (worker, from, to) -> {
                            for (int i = from; i < to; i++) {
                                visits.incrementAndGet(i);
                            }
                        },
                        size);
                for (int i = 0; i < size; i++) {
                    assertThat(visits.get(i)).isEqualTo(1);
                }
            }
        }
    }

    @Test
    void bringsAPiecesFailureToTheCallerAndGoesOn() {
        try (WorkerPool pool = new WorkerPool(2)) {
            assertThatThrownBy(() -> pool.run(
                            (worker, from, to) -> {
                                if (from == 0) {
                                    throw new IllegalStateException("of one piece");
                                }
                            },
                            2))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("of one piece");
            pool.run((worker, from, to) -> {}, 2);
        }
    }

    @Test
    void refusesToHaveNoThreads() {
        assertThatThrownBy(() -> new WorkerPool(0)).hasMessageContaining("at least 1, got 0");
    }
}
