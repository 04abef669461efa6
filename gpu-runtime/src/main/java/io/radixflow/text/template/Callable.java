package io.radixflow.text.template;

/** A value that a template can call: a function, macro, method, or a recursive loop. */
interface Callable {

    String name();

    Object call(Context context, Arguments arguments);
}
