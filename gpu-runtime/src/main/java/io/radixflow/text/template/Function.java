package io.radixflow.text.template;

/** A callable made of a name and what it does. */
record Function(String name, Body body) implements Callable {

    /** What a call does. */
    interface Body {
        Object call(Context context, Arguments arguments);
    }

    @Override
    public Object call(Context context, Arguments arguments) {
        return body.call(context, arguments);
    }
}
