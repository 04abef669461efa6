package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class WaitingLoadTest {

    @Test
    void holdsRecordsBackLongerTheNearerTheLimitIs() {
        WaitingLoad waiting = new WaitingLoad(new AdmissionLimits(Duration.ofMillis(50), 100, 1_000_000), 4);
        long[] expectedMillis = {50, 50, 50, 140, 320, 500};
        for (long expected : expectedMillis) {
            assertThat(Duration.ofNanos(waiting.holdNanos())).isEqualTo(Duration.ofMillis(expected));
            assertThat(waiting.isOverLimit()).isEqualTo(expected == 500);
            PreparedRequest request = Prompts.prepared(0, "x".repeat(20), Prompts.exactly(1));
            waiting.add(new InFlightRequest(request, 0).choices().get(0));
        }
    }
}
