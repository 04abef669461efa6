package io.radixflow.text.template;

/**
 * What a missing name, attribute or item yields: prints as nothing, is false and empty, and faults when it is used otherwise.
 *
 * @param hint the words of that fault
 */
record Undefined(String hint) {

    private static final int MAX_NAME_CHARS = 100;

    static Undefined name(String name) {
        return new Undefined("'" + shown(name) + "' is undefined");
    }

    static Undefined attribute(Object owner, String name) {
        return new Undefined("'" + (owner == None.NONE ? "None" : Types.name(owner) + " object")
                + "' has no attribute '" + shown(name) + "'");
    }

    private static String shown(String name) {
        return name.length() <= MAX_NAME_CHARS ? name : name.substring(0, MAX_NAME_CHARS) + "...";
    }

    Fault fault() {
        return new Fault(hint);
    }
}
