package io.radixflow.job.pipeline;

import io.radixflow.schemas.DeadLetter;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;

/** Adds up dead letters in an accumulator, for the progress line. */
final class DeadLetterCounter extends RichMapFunction<DeadLetter, DeadLetter> {

    private static final long serialVersionUID = 1L;

    private final LongCounter deadLetters = new LongCounter();

    @Override
    public void open(OpenContext context) {
        getRuntimeContext().addAccumulator(LabelJob.DEAD_LETTERS, deadLetters);
    }

    @Override
    public DeadLetter map(DeadLetter letter) {
        deadLetters.add(1);
        return letter;
    }
}
