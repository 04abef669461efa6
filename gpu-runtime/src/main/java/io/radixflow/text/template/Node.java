package io.radixflow.text.template;

/** A part of a parsed template; immutable. */
interface Node {

    /** Counted from 1. */
    int line();

    /** What an error message calls it. */
    String construct();
}
