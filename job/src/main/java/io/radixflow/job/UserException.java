package io.radixflow.job;

import org.jspecify.annotations.Nullable;

/** Something that the user can put right; its message is the one line that says what is wrong and what to do. */
public final class UserException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public UserException(String message) {
        this(message, null);
    }

    public UserException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
