package io.radixflow.job.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.avro.LogicalType;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.GenericRecord;
import org.jspecify.annotations.Nullable;

/** Avro's records as JSON objects. */
final class AvroToJson {

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private AvroToJson() {}

    static ObjectNode row(GenericRecord record) {
        ObjectNode object = NODES.objectNode();
        for (Schema.Field field : record.getSchema().getFields()) {
            object.set(field.name(), node(field.schema(), record.get(field.pos())));
        }
        return object;
    }

    /** The type of an output column that holds a field's values. */
    static ColumnType columnType(Schema schema) {
        Schema present = schema;
        if (schema.isUnion()) {
            List<Schema> others = schema.getTypes().stream()
                    .filter(type -> type.getType() != Schema.Type.NULL)
                    .toList();
            if (others.size() != 1) {
                return ColumnType.TEXT;
            }
            present = others.get(0);
        }
        if (present.getLogicalType() != null) {
            return ColumnType.TEXT;
        }
        return switch (present.getType()) {
            case INT, LONG -> ColumnType.LONG;
            case FLOAT, DOUBLE -> ColumnType.DOUBLE;
            case BOOLEAN -> ColumnType.BOOLEAN;
            default -> ColumnType.TEXT;
        };
    }

    private static JsonNode node(Schema schema, @Nullable Object value) {
        if (value == null) {
            return NODES.nullNode();
        }
        return switch (schema.getType()) {
            case RECORD -> row((GenericRecord) value);
            case UNION -> node(schema.getTypes().get(GenericData.get().resolveUnion(schema, value)), value);
            case ARRAY -> array(schema.getElementType(), (Collection<?>) value);
            case MAP -> map(schema.getValueType(), (Map<?, ?>) value);
            case STRING, ENUM -> JsonScalars.text(value.toString());
            case BYTES -> bytes(schema.getLogicalType(), bytes((ByteBuffer) value));
            case FIXED -> bytes(schema.getLogicalType(), ((GenericFixed) value).bytes());
            case INT -> integer(schema.getLogicalType(), (Integer) value);
            case LONG -> integer(schema.getLogicalType(), (Long) value);
            case FLOAT -> JsonScalars.number((Float) value);
            case DOUBLE -> JsonScalars.number((Double) value);
            case BOOLEAN -> NODES.booleanNode((Boolean) value);
            case NULL -> NODES.nullNode();
        };
    }

    private static JsonNode array(Schema elementType, Collection<?> values) {
        ArrayNode array = NODES.arrayNode(values.size());
        for (Object value : values) {
            array.add(node(elementType, value));
        }
        return array;
    }

    private static JsonNode map(Schema valueType, Map<?, ?> values) {
        ObjectNode object = NODES.objectNode();
        values.forEach((key, value) -> object.set(key.toString(), node(valueType, value)));
        return object;
    }

    private static JsonNode integer(@Nullable LogicalType type, long value) {
        if (type instanceof LogicalTypes.Date) {
            return JsonScalars.date(value);
        } else if (type instanceof LogicalTypes.TimeMillis) {
            return JsonScalars.time(value, TimeUnit.MILLISECONDS);
        } else if (type instanceof LogicalTypes.TimeMicros) {
            return JsonScalars.time(value, TimeUnit.MICROSECONDS);
        } else if (type instanceof LogicalTypes.TimestampMillis) {
            return JsonScalars.timestamp(value, TimeUnit.MILLISECONDS, true);
        } else if (type instanceof LogicalTypes.TimestampMicros) {
            return JsonScalars.timestamp(value, TimeUnit.MICROSECONDS, true);
        } else if (type instanceof LogicalTypes.LocalTimestampMillis) {
            return JsonScalars.timestamp(value, TimeUnit.MILLISECONDS, false);
        } else if (type instanceof LogicalTypes.LocalTimestampMicros) {
            return JsonScalars.timestamp(value, TimeUnit.MICROSECONDS, false);
        }
        return NODES.numberNode(value);
    }

    private static JsonNode bytes(@Nullable LogicalType type, byte[] value) {
        return type instanceof LogicalTypes.Decimal decimal && value.length > 0
                ? JsonScalars.decimal(new BigInteger(value), decimal.getScale())
                : JsonScalars.bytes(value);
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }
}
