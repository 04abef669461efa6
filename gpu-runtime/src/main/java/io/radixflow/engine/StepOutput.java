package io.radixflow.engine;

import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What one step produced for one session, as parallel columns: entry i is one token of one request, or the end of one.
 *
 * <p>Written by the engine thread, then owned by the listener until {@link #release()} gives it back to the session's pool.
 * Arrays grow to the largest step seen and are reused; reading allocates nothing.
 */
public final class StepOutput {

    /** Token id of an entry that ends a request without a token (abort, timeout). */
    public static final int NO_TOKEN = -1;

    private final Consumer<StepOutput> pool;
    private int numEntries;
    private long[] requestId = new long[8];
    private int[] tokenId = new int[8];
    private int[] textEnd = new int[8];
    private int[] cachedLen = new int[8];
    private long[] queueNanos = new long[8];
    private @Nullable FinishReason[] finishReason = new FinishReason[8];
    private @Nullable String[] detail = new String[8]; // stop string or error
    private @Nullable PromptLogprobs[] promptLogprobs = new PromptLogprobs[8];
    private float[] logprob = new float[8];
    private int[] alternativesEnd = new int[8];
    private byte[] text = new byte[64];
    private int[] alternativeId = new int[8];
    private float[] alternativeLogprob = new float[8];

    /** @param pool takes the released output back; called by the releasing thread */
    public StepOutput(Consumer<StepOutput> pool) {
        this.pool = pool;
    }

    public int numEntries() {
        return numEntries;
    }

    public long requestId(int entry) {
        return requestId[entry];
    }

    /** The sampled token (an end token included), or {@link #NO_TOKEN}. */
    public int tokenId(int entry) {
        return tokenId[entry];
    }

    /** Null while the request goes on; an entry with a reason is the request's last. */
    public @Nullable FinishReason finishReason(int entry) {
        return finishReason[entry];
    }

    /** Prompt tokens that the radix cache saved when this request was first scheduled. */
    public int cachedLen(int entry) {
        return cachedLen[entry];
    }

    /** Time from submission to the first scheduling. */
    public long queueNanos(int entry) {
        return queueNanos[entry];
    }

    /** UTF-8 that the entry adds to the answer, whole code points only: {@code [textStart, textEnd)} of this array. */
    public byte[] textBytes() {
        return text;
    }

    public int textStart(int entry) {
        return entry == 0 ? 0 : textEnd[entry - 1];
    }

    public int textEnd(int entry) {
        return textEnd[entry];
    }

    /** The stop string that ended the request; null for other ends, also for one by the token {@link #tokenId}. */
    public @Nullable String matchedStop(int entry) {
        return finishReason[entry] == FinishReason.STOP ? detail[entry] : null;
    }

    /** One sentence about why a request with {@link FinishReason#ERROR} or INVALID_GRAMMAR can't go on; null for other entries. */
    public @Nullable String error(int entry) {
        FinishReason reason = finishReason[entry];
        return reason == FinishReason.ERROR || reason == FinishReason.INVALID_GRAMMAR ? detail[entry] : null;
    }

    /** Whether the entry's token comes with log-probabilities: if the request asked for them. */
    public boolean hasLogprob(int entry) {
        return !Float.isNaN(logprob[entry]);
    }

    /** Log-probability of the entry's token. */
    public float logprob(int entry) {
        return logprob[entry];
    }

    /** The likeliest tokens in the entry's place are {@code [alternativesStart, alternativesEnd)} of the two arrays below, by rank. */
    public int alternativesStart(int entry) {
        return entry == 0 ? 0 : alternativesEnd[entry - 1];
    }

    public int alternativesEnd(int entry) {
        return alternativesEnd[entry];
    }

    public int[] alternativeIds() {
        return alternativeId;
    }

    public float[] alternativeLogprobs() {
        return alternativeLogprob;
    }

    /** Comes with a request's first token, if the request asked for it; may be kept after the release. */
    public @Nullable PromptLogprobs promptLogprobs(int entry) {
        return promptLogprobs[entry];
    }

    /** Gives the output back; it must not be read afterwards. */
    public void release() {
        Arrays.fill(promptLogprobs, 0, numEntries, null);
        numEntries = 0;
        pool.accept(this);
    }

    /** Engine thread: opens an entry with no text yet. */
    public void add(long request, int token, @Nullable FinishReason reason, int cached, long queued) {
        if (numEntries == requestId.length) {
            grow();
        }
        int entry = numEntries++;
        requestId[entry] = request;
        tokenId[entry] = token;
        finishReason[entry] = reason;
        cachedLen[entry] = cached;
        queueNanos[entry] = queued;
        textEnd[entry] = textStart(entry);
        detail[entry] = null;
        promptLogprobs[entry] = null;
        logprob[entry] = Float.NaN;
        alternativesEnd[entry] = alternativesStart(entry);
    }

    /** Engine thread: says more about the newest entry's end: the stop string that was found, or the error. */
    public void setDetail(String stopOrError) {
        detail[numEntries - 1] = stopOrError;
    }

    /** Engine thread: sets the newest entry's log-probability and its alternatives, read from {@code [from, from + num)}. */
    public void setLogprobs(float value, int[] ids, float[] logprobs, int from, int num) {
        int entry = numEntries - 1;
        int start = alternativesEnd[entry];
        int end = start + num;
        if (end > alternativeId.length) {
            int capacity = Math.max(end, 2 * alternativeId.length);
            alternativeId = Arrays.copyOf(alternativeId, capacity);
            alternativeLogprob = Arrays.copyOf(alternativeLogprob, capacity);
        }
        logprob[entry] = value;
        System.arraycopy(ids, from, alternativeId, start, num);
        System.arraycopy(logprobs, from, alternativeLogprob, start, num);
        alternativesEnd[entry] = end;
    }

    /** Engine thread: adds the prompt's log-probabilities to the newest entry. */
    public void setPromptLogprobs(PromptLogprobs value) {
        promptLogprobs[numEntries - 1] = value;
    }

    /** Engine thread: appends UTF-8 to the newest entry. */
    public void appendText(byte[] bytes, int from, int to) {
        int end = textEnd[numEntries - 1];
        int newEnd = end + to - from;
        if (newEnd > text.length) {
            text = Arrays.copyOf(text, Math.max(newEnd, 2 * text.length));
        }
        System.arraycopy(bytes, from, text, end, to - from);
        textEnd[numEntries - 1] = newEnd;
    }

    private void grow() {
        int capacity = 2 * requestId.length;
        requestId = Arrays.copyOf(requestId, capacity);
        tokenId = Arrays.copyOf(tokenId, capacity);
        textEnd = Arrays.copyOf(textEnd, capacity);
        cachedLen = Arrays.copyOf(cachedLen, capacity);
        queueNanos = Arrays.copyOf(queueNanos, capacity);
        finishReason = Arrays.copyOf(finishReason, capacity);
        detail = Arrays.copyOf(detail, capacity);
        promptLogprobs = Arrays.copyOf(promptLogprobs, capacity);
        logprob = Arrays.copyOf(logprob, capacity);
        alternativesEnd = Arrays.copyOf(alternativesEnd, capacity);
    }
}
