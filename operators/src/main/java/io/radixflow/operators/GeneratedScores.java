package io.radixflow.operators;

import io.radixflow.engine.StepOutput;
import java.io.IOException;
import java.util.Arrays;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** Log-probabilities of an answer's tokens so far, as parallel columns that grow. Owned by the task thread. */
final class GeneratedScores {

    private int len;
    private float[] logprob;
    private int[] topEnd;
    private int[] topId;
    private float[] topLogprob;

    GeneratedScores() {
        this(new float[0], new int[0], new int[0], new float[0]);
    }

    private GeneratedScores(float[] logprob, int[] topEnd, int[] topId, float[] topLogprob) {
        len = logprob.length;
        this.logprob = logprob;
        this.topEnd = topEnd;
        this.topId = topId;
        this.topLogprob = topLogprob;
    }

    /** Takes over what a step says of the answer's next token. */
    void add(StepOutput output, int entry) {
        if (len == logprob.length) {
            int capacity = Math.max(16, 2 * len);
            logprob = Arrays.copyOf(logprob, capacity);
            topEnd = Arrays.copyOf(topEnd, capacity);
        }
        int start = topStart(len);
        int from = output.alternativesStart(entry);
        int numTop = output.alternativesEnd(entry) - from;
        if (start + numTop > topId.length) {
            int capacity = Math.max(start + numTop, 2 * topId.length);
            topId = Arrays.copyOf(topId, capacity);
            topLogprob = Arrays.copyOf(topLogprob, capacity);
        }
        System.arraycopy(output.alternativeIds(), from, topId, start, numTop);
        System.arraycopy(output.alternativeLogprobs(), from, topLogprob, start, numTop);
        logprob[len] = output.logprob(entry);
        topEnd[len++] = start + numTop;
    }

    int len() {
        return len;
    }

    float logprob(int position) {
        return logprob[position];
    }

    /** The likeliest tokens at a position are {@code [topStart, topEnd)} of {@link #topId} and {@link #topLogprob}, by rank. */
    int topStart(int position) {
        return position == 0 ? 0 : topEnd[position - 1];
    }

    int topEnd(int position) {
        return topEnd[position];
    }

    int topId(int place) {
        return topId[place];
    }

    float topLogprob(int place) {
        return topLogprob[place];
    }

    void write(DataOutputView out) throws IOException {
        BinaryFields.writeFloats(out, logprob, len);
        BinaryFields.writeInts(out, topEnd, len);
        BinaryFields.writeInts(out, topId, topStart(len));
        BinaryFields.writeFloats(out, topLogprob, topStart(len));
    }

    static GeneratedScores read(DataInputView in) throws IOException {
        return new GeneratedScores(
                BinaryFields.readFloats(in),
                BinaryFields.readInts(in),
                BinaryFields.readInts(in),
                BinaryFields.readFloats(in));
    }
}
