package io.radixflow.operators;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import org.apache.flink.streaming.api.watermark.Watermark;

/**
 * Holds watermarks back until the requests that came before them are answered, so that no answer is late.
 *
 * <p>The requests between two watermarks form an epoch. The gate keeps the open epochs in order, each with how many of its
 * requests are in flight and the watermark that ends it; an epoch without requests leaves with its watermark at once.
 */
final class WatermarkGate {

    private final Consumer<Watermark> output;
    private final Deque<Epoch> closed = new ArrayDeque<>();
    private int currentEpoch;
    private int currentOpen;

    WatermarkGate(Consumer<Watermark> output) {
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

    private void emitReady() {
        for (Epoch first = closed.peekFirst(); first != null && first.numOpen == 0; first = closed.peekFirst()) {
            output.accept(first.watermark);
            closed.removeFirst();
        }
    }
}
