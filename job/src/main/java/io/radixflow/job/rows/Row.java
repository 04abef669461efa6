package io.radixflow.job.rows;

import org.jspecify.annotations.Nullable;

/**
 * A row of a file; nobody writes the array.
 *
 * @param number from 1; of a text line, its line
 * @param value a JSON object, or what stands in the file if it is none
 * @param problem why the row can't be read, or null
 */
public record Row(long number, byte[] value, @Nullable String problem) {

    private static final byte[] NOTHING = new byte[0];

    static Row of(long number, byte[] value) {
        return new Row(number, value, null);
    }

    static Row unreadable(long number, String problem) {
        return new Row(number, NOTHING, problem);
    }
}
