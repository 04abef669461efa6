package io.radixflow.job.rows;

import com.github.luben.zstd.ZstdIOException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/** Lines of a text file, byte for byte; blank ones are left out but counted. A line longer than the limit is never held in memory. */
final class JsonlRows implements RowReader {

    static final int MAX_LINE_BYTES = 16 << 20;

    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};

    private final InputStream in;
    private final byte[] buffer = new byte[1 << 16];
    private int position;
    private int limit;
    private byte[] line = new byte[1 << 12];
    private long number;

    JsonlRows(InputStream in) {
        this.in = in;
    }

    @Override
    public @Nullable Row next() throws IOException {
        for (int length = readLine(); length >= 0; length = readLine()) {
            if (length > MAX_LINE_BYTES) {
                return Row.unreadable(number, "the line is longer than " + MAX_LINE_BYTES + " bytes");
            }
            int start = number == 1 && startsWithMark(length) ? BYTE_ORDER_MARK.length : 0;
            if (!isBlank(start, length)) {
                return Row.of(number, Arrays.copyOfRange(line, start, length));
            }
        }
        return null;
    }

    /** Reads to the end of the line; its length, the limit plus 1 if it is longer than that, or -1 at the file's end. */
    private int readLine() throws IOException {
        int length = 0;
        boolean isStarted = false;
        while (position < limit || fill()) {
            isStarted = true;
            int end = position;
            while (end < limit && buffer[end] != '\n') {
                end++;
            }
            length = append(length, end);
            boolean isEnd = end < limit;
            position = isEnd ? end + 1 : end;
            if (isEnd) {
                break;
            }
        }
        if (!isStarted) {
            return -1;
        }
        number++;
        return length > 0 && length <= MAX_LINE_BYTES && line[length - 1] == '\r' ? length - 1 : length;
    }

    private int append(int length, int end) {
        int added = end - position;
        if (length + added > MAX_LINE_BYTES) {
            return MAX_LINE_BYTES + 1;
        }
        if (length + added > line.length) {
            line = Arrays.copyOf(line, Math.max(2 * line.length, length + added));
        }
        System.arraycopy(buffer, position, line, length, added);
        return length + added;
    }

    private boolean fill() throws IOException {
        try {
            position = 0;
            limit = Math.max(0, in.read(buffer));
            return limit > 0;
        } catch (EOFException | ZipException | ZstdIOException e) {
            throw new BrokenFileException(
                    "it is broken after line " + number + ": " + BrokenFileException.reason(e), e);
        }
    }

    private boolean startsWithMark(int length) {
        return length >= BYTE_ORDER_MARK.length
                && Arrays.equals(line, 0, BYTE_ORDER_MARK.length, BYTE_ORDER_MARK, 0, BYTE_ORDER_MARK.length);
    }

    private boolean isBlank(int start, int length) {
        for (int i = start; i < length; i++) {
            if (line[i] != ' ' && line[i] != '\t') {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
