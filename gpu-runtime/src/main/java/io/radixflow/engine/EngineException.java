package io.radixflow.engine;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A failure of the engine, or of one request, with a category that says who must answer it. */
public final class EngineException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** Who must answer a failure. */
    public enum Category {
        /** The request can't be served as it is; the record becomes a dead letter. */
        INVALID_REQUEST,
        /** No room now; the caller may try again. */
        OVERLOADED,
        /** Model files, flags or options don't fit together; shown to the user as one line. */
        CONFIGURATION,
        /** The device failed; the engine has stopped. */
        DEVICE,
        /** A broken invariant: a defect of ours; the engine has stopped. */
        INVARIANT
    }

    private final Category category;

    public EngineException(Category category, String message) {
        this(category, message, null);
    }

    public EngineException(Category category, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.category = Objects.requireNonNull(category);
    }

    public Category category() {
        return category;
    }
}
