package io.radixflow.engine;

import java.util.List;

/** One client's requests within an {@link Engine}. Methods may be called from any thread. */
public interface EngineSession extends AutoCloseable {

    /**
     * Hands a request to the engine. A request with {@link GenerationRequest#outputIds()} goes on after them. One whose grammar is not
     * compiled yet waits for that while others go on; if it can't be compiled, the request ends with {@link FinishReason#INVALID_GRAMMAR}.
     *
     * @return false if the engine's command queue is full: nothing was taken, try again later
     * @throws EngineException with {@link EngineException.Category#INVALID_REQUEST} if the request could never run, for
     *     example because it exceeds {@link EngineLimits#contextLen()}
     * @throws IllegalStateException if the session is closed
     */
    boolean submit(GenerationRequest request);

    /**
     * Hands several requests over at once: the engine takes them in together, in this order, before its next step; those that wait for a
     * grammar follow when it is compiled.
     *
     * @return false if the engine's command queue is full: none was taken, try again later
     * @throws EngineException with {@link EngineException.Category#INVALID_REQUEST} if one of them could never run; none was taken
     * @throws IllegalStateException if the session is closed
     */
    boolean submitAll(List<GenerationRequest> requests);

    /**
     * Says which prefix requests to come will need. An announcement takes the place of an earlier one with the same id. Another order of
     * eviction than known-uses makes nothing of it.
     *
     * @return false if the engine's command queue is full: nothing was taken, try again later
     */
    boolean announce(PrefixAnnouncement announcement);

    /** Takes back what is left of an announcement; unknown and used-up ones are ignored. When the queue is full, the call waits for room. */
    void withdraw(long announcementId);

    /**
     * Asks for the end of a request; its last output then has {@link FinishReason#ABORT}. Unknown or finished ids are ignored,
     * since an abort may cross the request's own end. Never dropped: when the queue is full, the call waits for room.
     */
    void abort(long requestId);

    /** Aborts the session's requests without further outputs. Idempotent. */
    @Override
    void close();
}
