package io.radixflow.schemas;

/** Why a record became a dead letter; the names on the wire are part of the contract. */
public enum ErrorCode {
    /** The value is no JSON text: bad syntax, bad UTF-8, a key twice, too deep or too long. */
    INVALID_JSON("invalid_json"),
    /** A field is missing, of the wrong type or out of its range. */
    INVALID_REQUEST("invalid_request"),
    /** A field or value that this version knows and can't serve. */
    UNSUPPORTED_PARAMETER("unsupported_parameter"),
    /** What the answer must be can't be read, or can't be enforced. */
    INVALID_SCHEMA("invalid_schema"),
    /** Prompt and wanted output don't fit into the model's context or the KV cache. */
    CONTEXT_LENGTH_EXCEEDED("context_length_exceeded"),
    /** The request's deadline passed, waiting or running. */
    REQUEST_TIMEOUT("request_timeout"),
    /** The engine could not serve this record. */
    ENGINE_ERROR("engine_error");

    private final String wireName;

    ErrorCode(String wireName) {
        this.wireName = wireName;
    }

    /** The value of the header {@code radixflow.error.code}. */
    public String wireName() {
        return wireName;
    }

    /** @throws IllegalArgumentException if no code has this name */
    public static ErrorCode ofWireName(String wireName) {
        for (ErrorCode code : values()) {
            if (code.wireName.equals(wireName)) {
                return code;
            }
        }
        throw new IllegalArgumentException("unknown error code '" + wireName + "'");
    }
}
