package io.radixflow.backend.cuda;

import java.util.Locale;
import jcuda.driver.CUevent;

/**
 * When steps begin and end on the device: what the host waits for, and how long the device had nothing to do between a step and the next one
 * that was enqueued before the host had waited for it. Allocates nothing per step.
 */
final class StepClock {

    static final int NONE = -1;
    /** One more than steps under way: the end of the step before the oldest is needed yet. */
    private static final int NUM_EVENTS = CudaSteps.MAX_IN_FLIGHT + 1;

    private final CudaDevice device;
    private final CUevent[] began = new CUevent[NUM_EVENTS];
    private final CUevent[] ended = new CUevent[NUM_EVENTS];
    private final boolean[] isFollowing = new boolean[NUM_EVENTS];
    private final float[] scratch = new float[1];
    private long numBegun;
    private long numFinished;
    private long numFollowing;
    private double followingMillis;
    private double gapMillis;

    StepClock(CudaDevice device) {
        this.device = device;
        for (int i = 0; i < NUM_EVENTS; i++) {
            began[i] = device.event();
            ended[i] = device.event();
        }
    }

    /** Begins a step and returns its turn. */
    int begin() {
        if (numBegun - numFinished == CudaSteps.MAX_IN_FLIGHT) {
            throw new IllegalStateException(
                    CudaSteps.MAX_IN_FLIGHT + " steps are under way; one must be finished first");
        }
        isFollowing[place(numBegun)] = numBegun > numFinished;
        device.record(began[place(numBegun)]);
        numBegun++;
        return turn(numBegun - 1);
    }

    /** The newest step has got its last work, as far as is known. */
    void mark() {
        if (numBegun > numFinished) {
            device.record(ended[place(numBegun - 1)]);
        }
    }

    /** Waits for the oldest step under way and returns its turn, or NONE. */
    int finish() {
        if (numBegun == numFinished) {
            return NONE;
        }
        long step = numFinished;
        device.await(ended[place(step)]);
        if (isFollowing[place(step)]) {
            numFollowing++;
            followingMillis += device.millis(began[place(step)], ended[place(step)], scratch);
            gapMillis += device.millis(ended[place(step - 1)], began[place(step)], scratch);
        }
        numFinished++;
        return turn(step);
    }

    private static int place(long step) {
        return (int) (step % NUM_EVENTS);
    }

    private static int turn(long step) {
        return (int) (step % CudaSteps.MAX_IN_FLIGHT);
    }

    /** One line for the log. */
    String summary() {
        double millis = followingMillis + gapMillis;
        return String.format(
                Locale.ROOT,
                "%d steps, %d of them enqueued while another one was under way; before those the device was idle for"
                        + " %.2f %% of %.2f s",
                numFinished,
                numFollowing,
                millis == 0 ? 0 : 100 * gapMillis / millis,
                millis / 1e3);
    }
}
