package io.radixflow.grammar;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an object consists of.
 *
 * @param named properties that a schema names, in its order
 * @param other a property that none names, or null if there can be none
 * @param min fewest properties
 * @param max most properties
 * @param path where the schema stands, for messages
 */
record ObjectMembers(List<Member> named, @Nullable Expr other, int min, int max, String path) {

    /** A named property: its name with the value, or null if it must be absent. */
    record Member(@Nullable Expr expr, boolean isRequired) {}
}
