package io.radixflow.job.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.function.Consumer;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.RecordMaterializer;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;
import org.jspecify.annotations.Nullable;

/** Parquet's rows as JSON objects; absent fields are left out. */
final class ParquetToJson extends RecordMaterializer<ObjectNode> {

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final ObjectConverter root;
    private ObjectNode row = NODES.objectNode();

    ParquetToJson(MessageType schema) {
        root = new ObjectConverter(schema, node -> row = node);
    }

    /** The type of an output column that holds a field's values. */
    static ColumnType columnType(Type field) {
        if (!field.isPrimitive() || field.isRepetition(Type.Repetition.REPEATED)) {
            return ColumnType.TEXT;
        }
        PrimitiveType type = field.asPrimitiveType();
        LogicalTypeAnnotation logical = type.getLogicalTypeAnnotation();
        if (logical instanceof LogicalTypeAnnotation.JsonLogicalTypeAnnotation) {
            return ColumnType.JSON;
        }
        boolean isPlain = logical == null
                || (logical instanceof LogicalTypeAnnotation.IntLogicalTypeAnnotation integer
                        && (integer.isSigned() || integer.getBitWidth() < Long.SIZE));
        if (!isPlain) {
            return ColumnType.TEXT;
        }
        return switch (type.getPrimitiveTypeName()) {
            case INT32, INT64 -> ColumnType.LONG;
            case FLOAT, DOUBLE -> ColumnType.DOUBLE;
            case BOOLEAN -> ColumnType.BOOLEAN;
            default -> ColumnType.TEXT;
        };
    }

    @Override
    public ObjectNode getCurrentRecord() {
        return row;
    }

    @Override
    public GroupConverter getRootConverter() {
        return root;
    }

    private static Converter converter(Type type, Consumer<JsonNode> into) {
        if (type.isPrimitive()) {
            return new ParquetScalarConverter(type.asPrimitiveType(), into);
        }
        GroupType group = type.asGroupType();
        LogicalTypeAnnotation logical = group.getLogicalTypeAnnotation();
        boolean holdsOneRepeated =
                group.getFieldCount() == 1 && group.getType(0).isRepetition(Type.Repetition.REPEATED);
        if (logical instanceof LogicalTypeAnnotation.ListLogicalTypeAnnotation && holdsOneRepeated) {
            return new ListConverter(group, into);
        }
        boolean isMap = logical instanceof LogicalTypeAnnotation.MapLogicalTypeAnnotation
                || logical instanceof LogicalTypeAnnotation.MapKeyValueTypeAnnotation;
        if (isMap
                && holdsOneRepeated
                && !group.getType(0).isPrimitive()
                && group.getType(0).asGroupType().getFieldCount() == 2) {
            return new MapConverter(group, into);
        }
        return new ObjectConverter(group, into);
    }

    /** A group as an object, a repeated field in it as a list. */
    private static final class ObjectConverter extends GroupConverter {

        private final Converter[] fields;
        private final Consumer<? super ObjectNode> into;
        private ObjectNode object = NODES.objectNode();

        ObjectConverter(GroupType type, Consumer<? super ObjectNode> into) {
            this.into = into;
            fields = new Converter[type.getFieldCount()];
            for (int i = 0; i < fields.length; i++) {
                Type field = type.getType(i);
                String name = field.getName();
                fields[i] = field.isRepetition(Type.Repetition.REPEATED)
                        ? converter(
                                field, node -> object.withArrayProperty(name).add(node))
                        : converter(field, node -> object.set(name, node));
            }
        }

        @Override
        public Converter getConverter(int field) {
            return fields[field];
        }

        @Override
        public void start() {
            object = NODES.objectNode();
        }

        @Override
        public void end() {
            into.accept(object);
        }
    }

    /** A list, of three levels as the format asks for, or of two as old writers made it. */
    private static final class ListConverter extends GroupConverter {

        private final Converter repeated;
        private final Consumer<JsonNode> into;
        private ArrayNode list = NODES.arrayNode();

        ListConverter(GroupType type, Consumer<JsonNode> into) {
            this.into = into;
            Type inner = type.getType(0);
            boolean isElement = inner.isPrimitive()
                    || inner.asGroupType().getFieldCount() != 1
                    || inner.getName().equals("array")
                    || inner.getName().equals(type.getName() + "_tuple");
            repeated = isElement
                    ? converter(inner, node -> list.add(node))
                    : new ElementConverter(inner.asGroupType().getType(0), node -> list.add(node));
        }

        @Override
        public Converter getConverter(int field) {
            return repeated;
        }

        @Override
        public void start() {
            list = NODES.arrayNode();
        }

        @Override
        public void end() {
            into.accept(list);
        }
    }

    /** The level between a list and its elements; an absent element is null. */
    private static final class ElementConverter extends GroupConverter {

        private final Converter element;
        private final Consumer<JsonNode> into;
        private @Nullable JsonNode value;

        ElementConverter(Type element, Consumer<JsonNode> into) {
            this.into = into;
            this.element = converter(element, node -> value = node);
        }

        @Override
        public Converter getConverter(int field) {
            return element;
        }

        @Override
        public void start() {
            value = null;
        }

        @Override
        public void end() {
            into.accept(value == null ? NODES.nullNode() : value);
        }
    }

    /** A map as an object whose names are the keys' texts. */
    private static final class MapConverter extends GroupConverter {

        private final Converter entry;
        private final Consumer<JsonNode> into;
        private ObjectNode map = NODES.objectNode();

        MapConverter(GroupType type, Consumer<JsonNode> into) {
            this.into = into;
            GroupType pair = type.getType(0).asGroupType();
            String key = pair.getFieldName(0);
            String value = pair.getFieldName(1);
            entry = new ObjectConverter(pair, node -> {
                JsonNode held = node.get(value);
                map.set(node.path(key).asText(), held == null ? NODES.nullNode() : held);
            });
        }

        @Override
        public Converter getConverter(int field) {
            return entry;
        }

        @Override
        public void start() {
            map = NODES.objectNode();
        }

        @Override
        public void end() {
            into.accept(map);
        }
    }
}
