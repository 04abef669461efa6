package io.radixflow.schemas;

import java.io.IOException;

/** The schema registry did not do what was asked: it is down, refuses us, or answers what it should not. One line. */
public final class RegistryException extends IOException {

    private static final long serialVersionUID = 1L;

    RegistryException(String message) {
        super(message);
    }

    RegistryException(String message, Throwable cause) {
        super(message, cause);
    }
}
