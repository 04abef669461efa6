package io.radixflow.job.rows;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A file isn't what its format asks for; the message is for the user and names the place, not the file. */
public final class BrokenFileException extends IOException {

    private static final long serialVersionUID = 1L;

    BrokenFileException(String message) {
        super(message);
    }

    BrokenFileException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** What a library says went wrong, in one line. */
    static String reason(Throwable failure) {
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : message.replaceAll("\\s*\\R\\s*", " ");
    }
}
