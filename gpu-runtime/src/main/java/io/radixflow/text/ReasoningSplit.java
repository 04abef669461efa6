package io.radixflow.text;

/** Text of an answer, or what one delta adds to it, told apart. */
public record ReasoningSplit(String reasoning, String content) {}
