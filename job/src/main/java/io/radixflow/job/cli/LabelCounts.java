package io.radixflow.job.cli;

import io.radixflow.job.pipeline.LabelJob;
import io.radixflow.job.pipeline.RunningJob;
import io.radixflow.schemas.ErrorCode;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a labelling job has done, those parts of it that were done before it was restored included.
 *
 * @param answers rows with an answer
 * @param deadLetters rows without one
 * @param promptTokens of the answers' prompts
 * @param cachedTokens of these, those that the prefix cache had
 * @param generatedTokens of the answers
 * @param rowsSinceStart rows that ended since the job's tasks last started
 * @param generatedSinceStart generated tokens of these
 * @param errors dead letters by code
 */
record LabelCounts(
        long answers,
        long deadLetters,
        long promptTokens,
        long cachedTokens,
        long generatedTokens,
        long rowsSinceStart,
        long generatedSinceStart,
        Map<String, Long> errors) {

    static LabelCounts of(RunningJob job) throws InterruptedException {
        Map<String, Long> counts = job.counts();
        return new LabelCounts(
                total(counts, LabelJob.ANSWERS),
                total(counts, LabelJob.DEAD_LETTERS),
                total(counts, LabelJob.PROMPT_TOKENS),
                total(counts, LabelJob.CACHED_TOKENS),
                total(counts, LabelJob.GENERATED_TOKENS),
                counts.getOrDefault(LabelJob.ANSWERS, 0L) + counts.getOrDefault(LabelJob.DEAD_LETTERS, 0L),
                counts.getOrDefault(LabelJob.GENERATED_TOKENS, 0L),
                errors(counts));
    }

    private static Map<String, Long> errors(Map<String, Long> counts) {
        Map<String, Long> errors = new TreeMap<>();
        for (ErrorCode code : ErrorCode.values()) {
            long rows = total(counts, LabelJob.ERRORS + code.wireName());
            if (rows > 0) {
                errors.put(code.wireName(), rows);
            }
        }
        return errors;
    }

    private static long total(Map<String, Long> counts, String name) {
        return counts.getOrDefault(name, 0L) + counts.getOrDefault(name + LabelJob.RESTORED, 0L);
    }

    long rows() {
        return answers + deadLetters;
    }

    double hitRate() {
        return promptTokens == 0 ? 0 : (double) cachedTokens / promptTokens;
    }
}
