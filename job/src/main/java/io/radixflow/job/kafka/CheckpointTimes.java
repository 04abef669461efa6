package io.radixflow.job.kafka;

import java.time.Duration;

/**
 * What bounds the time that an exactly-once sink holds a Kafka transaction open: it begins with the first record after a
 * checkpoint's barrier and is committed when the next checkpoint has completed. How long an answer takes to generate is no part of
 * it, since a request in flight is in the checkpoint with its tokens and reaches the sink when it has ended.
 *
 * @param interval between the starts of two checkpoints, the pause between them included
 * @param timeout longest time that a checkpoint may take
 * @param numTolerated failed checkpoints in a row that don't restart the job; the transactions stay open over them
 */
public record CheckpointTimes(Duration interval, Duration timeout, int numTolerated) {

    /** The longest that a transaction must live while the job runs. */
    Duration longestTransaction() {
        return interval.plus(timeout).multipliedBy(1L + numTolerated);
    }

    /** Where that time comes from, for messages. */
    String inWords() {
        String times =
                numTolerated == 0 ? "" : ", " + (1L + numTolerated) + " times for the failed checkpoints tolerated";
        return "a checkpoint interval of " + seconds(interval) + " and a checkpoint timeout of " + seconds(timeout)
                + times + ": " + seconds(longestTransaction());
    }

    static String seconds(Duration duration) {
        long millis = duration.toMillis();
        return millis % 1000 == 0 ? millis / 1000 + " s" : millis + " ms";
    }
}
