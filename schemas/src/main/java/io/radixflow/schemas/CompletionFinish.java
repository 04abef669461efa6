package io.radixflow.schemas;

/** Why an answer ended, as clients read it. */
public enum CompletionFinish {
    STOP("stop"),
    LENGTH("length"),
    ABORT("abort");

    private final String wireName;

    CompletionFinish(String wireName) {
        this.wireName = wireName;
    }

    public String wireName() {
        return wireName;
    }
}
