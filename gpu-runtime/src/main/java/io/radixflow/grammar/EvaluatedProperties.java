package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Which properties a schema and those beside it have looked at, so that {@code unevaluatedProperties} is about the others. Known without an
 * instance where {@code allOf} and {@code $ref} alone add to them; options and conditions may say no more than that.
 */
final class EvaluatedProperties {

    /** Subschemas that look at an object only if it is like that. */
    private static final List<String> CONDITIONAL =
            List.of("anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "dependencies");

    private final SchemaAlgebra algebra;
    private final Set<String> names = new LinkedHashSet<>();
    private final Set<String> patterns = new LinkedHashSet<>();
    private final List<SchemaNode> conditional = new ArrayList<>();
    private final Set<SchemaNode> done = new HashSet<>();
    private boolean isAll;

    private EvaluatedProperties(SchemaAlgebra algebra) {
        this.algebra = algebra;
    }

    /** @throws GrammarException if it depends on the instance */
    static EvaluatedProperties of(SchemaNode schema, SchemaAlgebra algebra) {
        EvaluatedProperties found = new EvaluatedProperties(algebra);
        found.add(schema, true);
        for (int i = 0; i < found.conditional.size() && !found.isAll; i++) {
            EvaluatedProperties option = new EvaluatedProperties(algebra);
            option.done.addAll(found.done);
            option.add(found.conditional.get(i), false);
            found.conditional.addAll(option.conditional);
            found.done.addAll(option.done);
            if (option.isAll
                    || !found.names.containsAll(option.names)
                    || !found.patterns.containsAll(option.patterns)) {
                throw schema.refusal(
                        "unevaluatedProperties",
                        "is supported only where anyOf, oneOf, if and the like name no properties that the rest doesn't");
            }
        }
        return found;
    }

    Set<String> names() {
        return names;
    }

    Set<String> patterns() {
        return patterns;
    }

    /** Whether there are no others. */
    boolean isAll() {
        return isAll;
    }

    private void add(SchemaNode schema, boolean isOutermost) {
        if (schema.json().isBoolean() || !done.add(schema)) {
            return;
        }
        if (schema.has("$ref")) {
            add(algebra.document().target(schema, SchemaAlgebra.text(schema, "$ref")), false);
        }
        if (algebra.document().hidesSiblings(schema)) {
            return;
        }
        isAll |= schema.has("additionalProperties") || (schema.has("unevaluatedProperties") && !isOutermost);
        schema.get("properties").fieldNames().forEachRemaining(names::add);
        schema.get("patternProperties").fieldNames().forEachRemaining(patterns::add);
        int number = 0;
        for (JsonNode part : schema.get("allOf")) {
            add(algebra.claim(schema, part, "/allOf/" + number++).schema(), false);
        }
        for (String keyword : CONDITIONAL) {
            JsonNode value = schema.get(keyword);
            boolean isOne = List.of("if", "then", "else").contains(keyword);
            for (JsonNode option : isOne ? List.of(value) : value) {
                if (option.isObject()) {
                    conditional.add(algebra.claim(schema, option, "/" + keyword).schema());
                }
            }
        }
    }
}
