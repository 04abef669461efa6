package io.radixflow.operators;

/** What the admitted answers without a first token amount to. Owned by the task thread. */
final class WaitingLoad {

    private static final int MOST_HOLDS = 10;

    private final AdmissionLimits limits;
    private final int roomForRequests;
    private int numRequests;
    private long numTokens;
    private long numBytes;

    /** @param roomForRequests so many may wait without holding further records back: enough for the engine to choose from */
    WaitingLoad(AdmissionLimits limits, int roomForRequests) {
        this.limits = limits;
        this.roomForRequests = roomForRequests;
    }

    void add(InFlightChoice choice) {
        numRequests++;
        if (choice.index() == 0) { // its siblings share prompt and record
            numTokens += choice.request().request().promptIds().length;
            numBytes += choice.request().valueBytes();
        }
    }

    void remove(InFlightChoice choice) {
        numRequests--;
        if (choice.index() == 0) {
            numTokens -= choice.request().request().promptIds().length;
            numBytes -= choice.request().valueBytes();
        }
    }

    /** Whether the next record may come in at once. */
    boolean hasRoom() {
        return numRequests < roomForRequests && !isOverLimit();
    }

    /**
     * How long to hold the next record back while there is no room: as the limits say, and up to ten times as long the nearer the load comes to
     * them, so that a slow engine's queue settles before {@link #isOverLimit}, where checkpoints would wait too.
     */
    long holdNanos() {
        double fill =
                Math.max((double) numTokens / limits.maxWaitingTokens(), (double) numBytes / limits.maxWaitingBytes());
        double beyondHalf = Math.min(1, Math.max(0, 2 * fill - 1));
        return (long) (limits.hold().toNanos() * (1 + beyondHalf * (MOST_HOLDS - 1)));
    }

    /** Whether the next record must wait, however long. Never true when nothing waits. */
    boolean isOverLimit() {
        return numTokens >= limits.maxWaitingTokens() || numBytes >= limits.maxWaitingBytes();
    }
}
