package io.radixflow.text.template;

/** A node that writes output or assigns. */
interface Statement extends Node {

    /** How the enclosing loop goes on. */
    enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    /** Called through {@link Context#run}, which counts work and places faults. */
    Flow execute(Context context);
}
