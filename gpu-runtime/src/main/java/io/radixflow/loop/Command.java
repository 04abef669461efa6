package io.radixflow.loop;

/** What other threads ask of the engine thread. */
sealed interface Command {

    /** A new request. */
    record Submit(Answer answer) implements Command {}

    /** The end of a request that may have ended already. */
    record Abort(Answer answer) implements Command {}

    /** The end of all of a session's requests, without outputs. */
    record CloseSession(Session session) implements Command {}

    /** Nothing; wakes the engine thread. */
    record Wake() implements Command {}
}
