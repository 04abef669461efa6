package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;

/** The kinds of JSON values; integers are numbers. */
enum JsonType {
    NULL,
    BOOLEAN,
    NUMBER,
    STRING,
    ARRAY,
    OBJECT;

    static JsonType of(JsonNode value) {
        return switch (value.getNodeType()) {
            case NULL -> NULL;
            case BOOLEAN -> BOOLEAN;
            case NUMBER -> NUMBER;
            case STRING -> STRING;
            case ARRAY -> ARRAY;
            case OBJECT -> OBJECT;
            case BINARY, MISSING, POJO -> throw new IllegalArgumentException("no JSON value: " + value);
        };
    }
}
