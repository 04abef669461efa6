package io.radixflow.job.cli;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import io.radixflow.job.pipeline.AnswerColumns;
import io.radixflow.job.pipeline.AnswerColumns.AnswerColumn;
import io.radixflow.job.rows.ColumnType;
import java.net.URI;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The columns that a JSON Schema's answers have in a table: its properties, with what their schemas tell of the types, or the
 * whole answer if it names none. Where keywords don't tell, any type is assumed, which makes a column of JSON.
 */
final class SchemaColumns {

    /** Stands before a name that the table has already. */
    private static final String PREFIX = "answer_";

    private static final String WHOLE = "value";

    /** The types of JSON; a number is an integer or a fraction. */
    private enum Kind {
        NULL,
        BOOLEAN,
        INTEGER,
        FRACTION,
        TEXT,
        LIST,
        OBJECT
    }

    private final JsonNode root;
    private final Map<String, EnumSet<Kind>> kindsOfReferences = new HashMap<>();
    private final Map<String, Map<String, EnumSet<Kind>>> propertiesOfReferences = new HashMap<>();

    private SchemaColumns(JsonNode root) {
        this.root = root;
    }

    /** @param taken names of the table's other columns; what differs in letter case only is one name to many readers */
    static AnswerColumns of(JsonNode schema, Set<String> taken) {
        SchemaColumns schemaColumns = new SchemaColumns(schema);
        Set<String> names = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        names.addAll(taken);
        List<AnswerColumn> columns = new ArrayList<>();
        schemaColumns
                .properties(schema)
                .forEach((property, kinds) ->
                        columns.add(new AnswerColumn(free(property, names), property, columnType(kinds))));
        if (columns.isEmpty()) {
            columns.add(new AnswerColumn(free(WHOLE, names), null, columnType(schemaColumns.kinds(schema))));
        }
        return new AnswerColumns(columns);
    }

    private static String free(String name, Set<String> names) {
        String free = name.isEmpty() ? PREFIX : name;
        while (!names.add(free)) {
            free = PREFIX + free;
        }
        return free;
    }

    private static ColumnType columnType(Set<Kind> kinds) {
        EnumSet<Kind> present = EnumSet.copyOf(kinds);
        present.remove(Kind.NULL);
        if (present.equals(EnumSet.of(Kind.TEXT))) {
            return ColumnType.TEXT;
        } else if (present.equals(EnumSet.of(Kind.BOOLEAN))) {
            return ColumnType.BOOLEAN;
        } else if (present.equals(EnumSet.of(Kind.INTEGER))) {
            return ColumnType.LONG;
        }
        boolean isNumber =
                !present.isEmpty() && EnumSet.of(Kind.INTEGER, Kind.FRACTION).containsAll(present);
        return isNumber ? ColumnType.DOUBLE : ColumnType.JSON;
    }

    /** The types that an instance may have: all of those, and maybe more. */
    private EnumSet<Kind> kinds(JsonNode schema) {
        EnumSet<Kind> kinds = EnumSet.allOf(Kind.class);
        if (schema.has("type")) {
            kinds.retainAll(named(schema.get("type")));
        }
        if (schema.has("enum")) {
            kinds.retainAll(ofValues(schema.get("enum")));
        }
        if (schema.has("const")) {
            kinds.retainAll(EnumSet.of(ofValue(schema.get("const"))));
        }
        if (schema.has("$ref")) {
            kinds.retainAll(kindsOfReference(schema.get("$ref").asText()));
        }
        schema.path("allOf").forEach(part -> kinds.retainAll(kinds(part)));
        for (List<JsonNode> branches : branches(schema)) {
            EnumSet<Kind> any = EnumSet.noneOf(Kind.class);
            branches.forEach(branch -> any.addAll(kinds(branch)));
            kinds.retainAll(any);
        }
        return kinds;
    }

    private EnumSet<Kind> kindsOfReference(String reference) {
        EnumSet<Kind> known = kindsOfReferences.get(reference);
        if (known == null) {
            kindsOfReferences.put(reference, EnumSet.allOf(Kind.class)); // what it is to itself
            known = kinds(target(reference));
            kindsOfReferences.put(reference, known);
        }
        return known;
    }

    /** The properties that a schema names, in its order, with the types that they may have. */
    private Map<String, EnumSet<Kind>> properties(JsonNode schema) {
        Map<String, EnumSet<Kind>> properties = new LinkedHashMap<>();
        schema.path("properties").properties().forEach(each -> properties.put(each.getKey(), kinds(each.getValue())));
        if (schema.has("$ref")) {
            addAll(properties, propertiesOfReference(schema.get("$ref").asText()));
        }
        schema.path("allOf").forEach(part -> addAll(properties, properties(part)));
        branches(schema).forEach(branches -> addBranches(properties, branches));
        return properties;
    }

    private Map<String, EnumSet<Kind>> propertiesOfReference(String reference) {
        Map<String, EnumSet<Kind>> known = propertiesOfReferences.get(reference);
        if (known == null) {
            propertiesOfReferences.put(reference, Map.of());
            known = properties(target(reference));
            propertiesOfReferences.put(reference, known);
        }
        return known;
    }

    /** Both must hold. */
    private static void addAll(Map<String, EnumSet<Kind>> properties, Map<String, EnumSet<Kind>> others) {
        others.forEach((name, kinds) -> {
            EnumSet<Kind> both = properties.computeIfAbsent(name, absent -> EnumSet.allOf(Kind.class));
            both.retainAll(kinds);
        });
    }

    /** One of the branches must hold; what one of them does not name is bound by the schema around them alone. */
    private void addBranches(Map<String, EnumSet<Kind>> properties, List<JsonNode> branches) {
        Map<String, EnumSet<Kind>> any = new LinkedHashMap<>();
        Map<String, Integer> times = new HashMap<>();
        for (JsonNode branch : branches) {
            properties(branch).forEach((name, kinds) -> {
                any.computeIfAbsent(name, absent -> EnumSet.noneOf(Kind.class)).addAll(kinds);
                times.merge(name, 1, Integer::sum);
            });
        }
        any.keySet().removeIf(name -> properties.containsKey(name) && times.getOrDefault(name, 0) < branches.size());
        addAll(properties, any);
    }

    /** The alternatives of anyOf, of oneOf, and of then and else. */
    private static List<List<JsonNode>> branches(JsonNode schema) {
        List<List<JsonNode>> all = new ArrayList<>();
        for (String keyword : List.of("anyOf", "oneOf")) {
            if (schema.has(keyword)) {
                List<JsonNode> branches = new ArrayList<>();
                schema.get(keyword).forEach(branches::add);
                all.add(branches);
            }
        }
        if (schema.has("if")) {
            all.add(List.of(schema.path("then"), schema.path("else")));
        }
        return all;
    }

    /** The schema that a reference names in this document; what lies elsewhere may be anything. */
    private JsonNode target(String reference) {
        try {
            URI uri = URI.create(reference);
            String fragment = uri.getFragment();
            boolean hasOtherBase = root.findValues("$id").size() > (root.has("$id") ? 1 : 0);
            if (fragment == null || !reference.startsWith("#") || hasOtherBase) {
                return BooleanNode.TRUE;
            }
            if (fragment.isEmpty() || fragment.startsWith("/")) {
                return root.at(JsonPointer.compile(fragment));
            }
            return anchored(fragment);
        } catch (IllegalArgumentException e) {
            return BooleanNode.TRUE;
        }
    }

    private JsonNode anchored(String name) {
        for (JsonNode schema : root.findParents("$anchor")) {
            if (schema.get("$anchor").asText().equals(name)) {
                return schema;
            }
        }
        return BooleanNode.TRUE;
    }

    /** @param type a name or a list of such */
    private static EnumSet<Kind> named(JsonNode type) {
        EnumSet<Kind> kinds = EnumSet.noneOf(Kind.class);
        for (JsonNode name : type.isArray() ? type : List.of(type)) {
            switch (name.asText()) {
                case "null" -> kinds.add(Kind.NULL);
                case "boolean" -> kinds.add(Kind.BOOLEAN);
                case "integer" -> kinds.add(Kind.INTEGER);
                case "number" -> kinds.addAll(EnumSet.of(Kind.INTEGER, Kind.FRACTION));
                case "string" -> kinds.add(Kind.TEXT);
                case "array" -> kinds.add(Kind.LIST);
                case "object" -> kinds.add(Kind.OBJECT);
                default -> kinds.addAll(EnumSet.allOf(Kind.class));
            }
        }
        return kinds;
    }

    private static EnumSet<Kind> ofValues(JsonNode values) {
        EnumSet<Kind> kinds = EnumSet.noneOf(Kind.class);
        values.forEach(value -> kinds.add(ofValue(value)));
        return kinds;
    }

    private static Kind ofValue(JsonNode value) {
        return switch (value.getNodeType()) {
            case NULL, MISSING -> Kind.NULL;
            case BOOLEAN -> Kind.BOOLEAN;
            case NUMBER -> value.canConvertToExactIntegral() ? Kind.INTEGER : Kind.FRACTION;
            case STRING, BINARY -> Kind.TEXT;
            case ARRAY -> Kind.LIST;
            case OBJECT, POJO -> Kind.OBJECT;
        };
    }
}
