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
    private byte[] text = new byte[64];

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

    /** Gives the output back; it must not be read afterwards. */
    public void release() {
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
    }
}
