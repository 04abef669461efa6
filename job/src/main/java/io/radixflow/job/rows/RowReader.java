package io.radixflow.job.rows;

import java.io.Closeable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Rows of one file from its start on. Used by one thread. */
public interface RowReader extends Closeable {

    /**
     * The next row, or null at the end. A row that can't be read comes with its problem, and each that is lost with it too.
     *
     * @throws BrokenFileException if nothing after this can be read and nobody knows how much there is
     */
    @Nullable
    Row next() throws IOException;

    /** Leaves out so many rows, those with problems included. */
    default void skip(long numRows) throws IOException {
        for (long i = 0; i < numRows && next() != null; i++) {}
    }
}
