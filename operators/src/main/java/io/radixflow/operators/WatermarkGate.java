package io.radixflow.operators;

import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;

/**
 * Holds watermarks back until the requests that came before them are answered, so that no answer is late.
 *
 * <p>The requests between two watermarks form an epoch. The gate keeps the open epochs in order, each with how many of its
 * requests are in flight and the watermark that ends it; an epoch without requests leaves with its watermark at once.
 */
final class WatermarkGate {

    private final Output<?> output;
    private final Deque<Epoch> closed = new ArrayDeque<>();
    private int currentEpoch;
    private int currentOpen;
    private boolean isIdleHeld;

    WatermarkGate(Output<?> output) {
        this.output = output;
    }

    private static final class Epoch {
        private final int id;
        private int numOpen;
        private Watermark watermark;

        private Epoch(int id, int numOpen, Watermark watermark) {
            this.id = id;
            this.numOpen = numOpen;
            this.watermark = watermark;
        }
    }

    /** A request came in; returns its epoch. */
    int enter() {
        currentOpen++;
        return currentEpoch;
    }

    /** A request of the epoch is answered. */
    void leave(int epoch) {
        if (epoch == currentEpoch) {
            currentOpen--;
            return;
        }
        for (Epoch candidate : closed) {
            if (candidate.id == epoch) {
                candidate.numOpen--;
                break;
            }
        }
        emitReady();
    }

    void onWatermark(Watermark watermark) {
        Epoch last = closed.peekLast();
        if (currentOpen == 0 && last != null) {
            last.watermark = watermark; // nothing came in between: the later watermark replaces the earlier
        } else {
            closed.addLast(new Epoch(currentEpoch, currentOpen, watermark));
            currentEpoch++;
            currentOpen = 0;
        }
        emitReady();
    }

    /** Nobody listens to an idle input's watermarks, so that one waits for those that are held back. */
    void onStatus(WatermarkStatus status) {
        if (status.isIdle() && !closed.isEmpty()) {
            isIdleHeld = true;
        } else if (status.isActive() && isIdleHeld) {
            isIdleHeld = false; // nobody has heard of it
        } else {
            output.emitWatermarkStatus(status);
        }
    }

    private void emitReady() {
        for (Epoch first = closed.peekFirst(); first != null && first.numOpen == 0; first = closed.peekFirst()) {
            output.emitWatermark(first.watermark);
            closed.removeFirst();
        }
        if (isIdleHeld && closed.isEmpty()) {
            isIdleHeld = false;
            output.emitWatermarkStatus(WatermarkStatus.IDLE);
        }
    }
}
