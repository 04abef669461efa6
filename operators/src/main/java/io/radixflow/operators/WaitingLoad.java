package io.radixflow.operators;

/** What the admitted answers without a first token amount to. Owned by the task thread. */
final class WaitingLoad {

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

    /** Whether the next record must wait, however long. Never true when nothing waits. */
    boolean isOverLimit() {
        return numTokens >= limits.maxWaitingTokens() || numBytes >= limits.maxWaitingBytes();
    }
}
