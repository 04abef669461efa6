package io.radixflow.text.template;

/** A node that yields a value. */
interface Expression extends Node {

    /** Called through {@link Context#value}, which counts work and places faults. */
    Object evaluate(Context context);
}
