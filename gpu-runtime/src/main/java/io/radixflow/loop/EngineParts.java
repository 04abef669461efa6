package io.radixflow.loop;

import io.radixflow.backend.Backend;
import io.radixflow.backend.KvCache;
import io.radixflow.model.Model;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.text.TokenBytes;

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
 */
public record EngineParts(
        Backend backend,
        Model model,
        KvCache kvCache,
        TokenBytes tokenBytes,
        int[] eosIds,
        SchedulerConfig scheduling,
        double logIntervalSeconds) {}
