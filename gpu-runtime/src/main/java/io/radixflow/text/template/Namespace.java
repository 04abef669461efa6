package io.radixflow.text.template;

/** What namespace() yields: the one thing whose attributes a template may set, so that a loop can keep a result. */
record Namespace(Dict attributes) {

    void set(String name, Object value) {
        if (name.startsWith("_")) {
            throw new Fault("a namespace can't have the attribute '" + name + "', which starts with an underscore");
        }
        attributes.put(name, value);
    }
}
