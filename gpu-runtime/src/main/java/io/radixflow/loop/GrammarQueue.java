package io.radixflow.loop;

import io.radixflow.engine.GenerationRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Requests that wait for their grammars, in the order in which they came. Owned by the engine thread. */
final class GrammarQueue {

    private final List<Answer> waiting = new ArrayList<>();

    void add(Answer answer) {
        waiting.add(answer);
    }

    int size() {
        return waiting.size();
    }

    /**
     * Hands on those that need not wait any longer: the grammar is ready or has failed, or the deadline has passed.
     *
     * @return how many
     */
    int release(LongSupplier nanoClock, Consumer<Answer> to) {
        int num = 0;
        long now = waiting.isEmpty() ? 0 : nanoClock.getAsLong();
        for (int i = 0; i < waiting.size(); ) {
            Answer answer = waiting.get(i);
            if (answer.isGrammarDone() || isExpired(answer, now)) {
                waiting.remove(i);
                to.accept(answer);
                num++;
            } else {
                i++;
            }
        }
        return num;
    }

    private static boolean isExpired(Answer answer, long nowNanos) {
        long deadline = answer.request().deadlineNanos();
        return deadline != GenerationRequest.NO_DEADLINE && deadline - nowNanos <= 0;
    }

    void removeIf(Predicate<Answer> isGone) {
        waiting.removeIf(isGone);
    }

    /** Takes the first one in any case; null if there is none. */
    @Nullable
    Answer pollAny() {
        return waiting.isEmpty() ? null : waiting.remove(0);
    }
}
