package io.radixflow.operators;

import io.radixflow.schemas.DeadLetter;
import org.apache.flink.streaming.api.datastream.DataStream;

/**
 * What comes out of the pipeline. Each input record ends in exactly one completion or one dead letter.
 *
 * @param completions whole answers
 * @param deltas chunks of answers to requests with {@code stream: true}, in order for each request
 * @param deadLetters records that can't be answered
 */
public record PipelineOutputs(
        DataStream<ResultRecord> completions, DataStream<ResultRecord> deltas, DataStream<DeadLetter> deadLetters) {}
