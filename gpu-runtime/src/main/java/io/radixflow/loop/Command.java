package io.radixflow.loop;

import io.radixflow.engine.PrefixAnnouncement;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What other threads ask of the engine thread. */
sealed interface Command {

    /** A new request. */
    record Submit(Answer answer) implements Command {}

    /** Several new requests, taken in together. */
    record SubmitAll(List<Answer> answers) implements Command {}

    /** An empty prefix cache; answered with whether it was flushed. */
    record FlushCache(CompletableFuture<Boolean> isFlushed) implements Command {}

    /** Word of a session's requests to come. */
    record Announce(Session session, PrefixAnnouncement announcement) implements Command {}

    /** The rest of an announcement won't come. */
    record Withdraw(Session session, long announcementId) implements Command {}

    /** The end of a request that may have ended already. */
    record Abort(Answer answer) implements Command {}

    /** The end of all of a session's requests, without outputs. */
    record CloseSession(Session session) implements Command {}

    /** Nothing; wakes the engine thread. */
    record Wake() implements Command {}
}
