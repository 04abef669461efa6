package io.radixflow.job.pipeline;

import io.radixflow.job.rows.BrokenFileException;
import io.radixflow.job.rows.Row;
import io.radixflow.job.rows.RowReader;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The rows of a file that was cut off anywhere, without the last one, which may have been cut too. */
final class FollowedRows implements RowReader {

    private final RowReader rows;
    private @Nullable Row ahead;

    FollowedRows(RowReader rows) throws IOException {
        this.rows = rows;
        ahead = following();
    }

    @Override
    public @Nullable Row next() throws IOException {
        Row row = ahead;
        ahead = row == null ? null : following();
        return ahead == null ? null : row;
    }

    /** The next row, or null at the end or at the cut. */
    private @Nullable Row following() throws IOException {
        try {
            return rows.next();
        } catch (BrokenFileException e) {
            return null;
        }
    }

    @Override
    public void close() throws IOException {
        rows.close();
    }
}
