package io.radixflow.grammar;

import java.util.List;

/** A regular expression as a tree; captures and laziness, which don't change what matches, are left out. */
sealed interface Regex {

    int UNBOUNDED = Integer.MAX_VALUE;

    /** One code point of a set. */
    record OneOf(CodePointSet set) implements Regex {}

    /** One after the other. */
    record Sequence(List<Regex> parts) implements Regex {}

    /** Any of them. */
    record Choice(List<Regex> options) implements Regex {}

    /** {@code min} to {@code max} times. */
    record Repeat(Regex body, int min, int max) implements Regex {}

    /** The beginning of the text. */
    record Begin() implements Regex {}

    /** The end of the text. */
    record End() implements Regex {}

    /** What follows does, or does not, begin with a match of {@code body}. */
    record Ahead(Regex body, boolean isNegative) implements Regex {}
}
