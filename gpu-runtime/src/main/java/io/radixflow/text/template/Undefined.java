package io.radixflow.text.template;

/**
 * What a missing name, attribute or item yields: prints as nothing, is false and empty, and faults when it is used otherwise.
 *
 * @param hint the words of that fault
 */
record Undefined(String hint) {

    static Undefined name(String name) {
        return new Undefined("'" + name + "' is undefined");
    }

    static Undefined attribute(Object owner, String name) {
        return new Undefined("'" + (owner == None.NONE ? "None" : Types.name(owner) + " object")
                + "' has no attribute '" + name + "'");
    }

    Fault fault() {
        return new Fault(hint);
    }
}
