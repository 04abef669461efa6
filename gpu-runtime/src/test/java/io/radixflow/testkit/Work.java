package io.radixflow.testkit;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What a bench's calls have done and the processor time they took, which JMH turns into rates. {@link BenchRunner} divides one by the
 * other, so that a neighbour who takes the processor doesn't count.
 */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class Work {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** Multiplications and additions of fp32 numbers. */
    public double flops;
    /** Bytes that have to come from or go to memory or cache, each once. */
    public double bytes;

    public double calls;
    public double processorSeconds;

    private long startNanos;

    /** Counts one call. */
    public void add(double callFlops, double callBytes) {
        flops += callFlops;
        bytes += callBytes;
        calls++;
    }

    @Setup(Level.Iteration)
    public void start() {
        startNanos = THREADS.getCurrentThreadCpuTime();
    }

    @TearDown(Level.Iteration)
    public void stop() {
        processorSeconds = (THREADS.getCurrentThreadCpuTime() - startNanos) / 1e9;
    }
}
