package io.radixflow.schemas;

import java.util.Objects;

/** One record can't be answered; checked, since whoever reads records must turn it into a dead letter. */
public final class RecordException extends Exception {

    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final String reason;

    /** @param reason names the field and what is allowed; never holds prompt text */
    public RecordException(ErrorCode code, String reason) {
        // Without a stack trace: a stream of bad records must cost no more than a stream of good ones.
        super(code.wireName() + ": " + reason, null, false, false);
        this.code = Objects.requireNonNull(code);
        this.reason = reason;
    }

    public ErrorCode code() {
        return code;
    }

    /** The message without the code. */
    public String reason() {
        return reason;
    }
}
