package io.radixflow.text.template;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.radixflow.testkit.PropertyEvents;
import java.lang.management.ManagementFactory;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Random programs that grow texts and lists, nest loops and call themselves: whatever they try, time and memory stay within the limits. */
class HostileTemplatePropertyTest {

    private static final int EVENTS_OF_A_TEMPLATE = 100;
    private static final Limits SMALL = new Limits(1 << 20, 2_000_000, Limits.DEFAULT.depth());
    private static final long MAX_BYTES = 32 * SMALL.work(); // garbage included; 19 is the most that was seen
    private static final long MAX_NANOS = 2_000_000_000L;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final Map<String, Object> VARIABLES = Map.of(
            "messages", List.of(Map.of("role", "user", "content", "x <b>\n ß"), Map.of("role", "tool", "content", "y")),
            "big", "a b,\u00e9\n".repeat(1000));

    @Property(tries = PropertyEvents.TRIES)
    void endsWithinItsLimits(@ForAll long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < PropertyEvents.perTry() / EVENTS_OF_A_TEMPLATE; i++) {
            check(new TemplateWriter(random).template());
        }
    }

    private static void check(String source) {
        long bytes = THREADS.getCurrentThreadAllocatedBytes();
        long nanos = THREADS.getCurrentThreadCpuTime();
        try {
            assertThat(Template.parse(source, Clock.systemUTC(), SMALL)
                            .render(VARIABLES)
                            .length())
                    .isLessThanOrEqualTo(SMALL.outputChars());
        } catch (IllegalArgumentException e) {
            assertThat(e.getMessage()).matches("chat template line \\d+, [^\\n]+: [^\\n]*");
        } catch (StackOverflowError | OutOfMemoryError e) {
            throw new AssertionError(source, e);
        }
        assertThat(THREADS.getCurrentThreadAllocatedBytes() - bytes).as(source).isLessThan(MAX_BYTES);
        assertThat(THREADS.getCurrentThreadCpuTime() - nanos).as(source).isLessThan(MAX_NANOS);
    }
}
