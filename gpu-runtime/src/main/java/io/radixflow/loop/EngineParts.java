package io.radixflow.loop;

import io.radixflow.backend.Backend;
import io.radixflow.backend.KvCache;
import io.radixflow.model.Model;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.text.TokenBytes;
import io.radixflow.text.Tokenizer;
import org.jspecify.annotations.Nullable;

/**
 * What an engine is made of; tests build one from fakes.
 *
 * @param backend owned by the engine, closed with it
 * @param model on that backend
 * @param kvCache on that backend, of {@code scheduling.numSlots()} slots
 * @param tokenBytes what ids add to the text
 * @param eosIds ids that end an answer; nobody writes the array
 * @param scheduling limits and policies
 * @param logIntervalSeconds between two log lines about the batch
 * @param jumpTokenizer of the same tokens, owned by the engine; null if each token is to be drawn, also where a grammar leaves one text
 */
public record EngineParts(
        Backend backend,
        Model model,
        KvCache kvCache,
        TokenBytes tokenBytes,
        int[] eosIds,
        SchedulerConfig scheduling,
        double logIntervalSeconds,
        @Nullable Tokenizer jumpTokenizer)
        implements AutoCloseable {

    /** Without jump-forward. */
    @SuppressWarnings("checkstyle:ParameterNumber") // the record's, in its order
    public EngineParts(
            Backend backend,
            Model model,
            KvCache kvCache,
            TokenBytes tokenBytes,
            int[] eosIds,
            SchedulerConfig scheduling,
            double logIntervalSeconds) {
        this(backend, model, kvCache, tokenBytes, eosIds, scheduling, logIntervalSeconds, null);
    }

    /** Frees the device's memory and the tokenizer. */
    @Override
    public void close() {
        backend.close();
        if (jumpTokenizer != null) {
            jumpTokenizer.close();
        }
    }
}
