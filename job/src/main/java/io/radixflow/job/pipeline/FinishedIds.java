package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A set of texts that keeps 128 bits of each one's SHA-256 and nothing else, 16 bytes in an open-addressed table that is at most
 * three quarters full: a million take 32 MiB. That two of a billion texts are taken for each other has a chance of 1 in 10^20.
 */
final class FinishedIds {

    private static final int MIN_CAPACITY = 1 << 10;

    private final MessageDigest sha256;
    private long[] table = new long[2 * MIN_CAPACITY]; // pairs; two zeros are a free place
    private int size;

    FinishedIds() {
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** False if it was there. */
    boolean add(String id) {
        ByteBuffer hash = hash(id);
        if (!add(hash.getLong(0), hash.getLong(Long.BYTES))) {
            return false;
        }
        size++;
        if (size > table.length / 2 / 4 * 3) {
            grow();
        }
        return true;
    }

    boolean contains(String id) {
        ByteBuffer hash = hash(id);
        int place = place(hash.getLong(0), hash.getLong(Long.BYTES));
        return (table[place] | table[place + 1]) != 0;
    }

    int size() {
        return size;
    }

    private ByteBuffer hash(String id) {
        ByteBuffer hash = ByteBuffer.wrap(sha256.digest(id.getBytes(UTF_8)));
        if ((hash.getLong(0) | hash.getLong(Long.BYTES)) == 0) {
            hash.putLong(0, 1);
        }
        return hash;
    }

    private boolean add(long high, long low) {
        int place = place(high, low);
        if ((table[place] | table[place + 1]) != 0) {
            return false;
        }
        table[place] = high;
        table[place + 1] = low;
        return true;
    }

    /** Where the pair stands, or the free place where it would. */
    private int place(long high, long low) {
        int mask = table.length - 1;
        int place = (int) high << 1 & mask;
        while ((table[place] | table[place + 1]) != 0 && (table[place] != high || table[place + 1] != low)) {
            place = place + 2 & mask;
        }
        return place;
    }

    private void grow() {
        long[] old = table;
        table = new long[2 * old.length];
        for (int i = 0; i < old.length; i += 2) {
            if ((old[i] | old[i + 1]) != 0) {
                add(old[i], old[i + 1]);
            }
        }
    }
}
