package io.radixflow.job.rows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DateLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DecimalLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.Float16LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.UUIDLogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.jspecify.annotations.Nullable;

/** Parquet's primitive values as JSON values. */
final class ParquetScalarConverter extends PrimitiveConverter {

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final long JULIAN_DAY_OF_EPOCH = 2_440_588;
    private static final int INT96_BYTES = 12;
    private static final long SECONDS_PER_DAY = 86_400;

    private final PrimitiveTypeName type;
    private final @Nullable LogicalTypeAnnotation logical;
    private final Consumer<JsonNode> into;

    ParquetScalarConverter(PrimitiveType type, Consumer<JsonNode> into) {
        this.type = type.getPrimitiveTypeName();
        this.logical = type.getLogicalTypeAnnotation();
        this.into = into;
    }

    @Override
    public void addBoolean(boolean value) {
        into.accept(NODES.booleanNode(value));
    }

    @Override
    public void addFloat(float value) {
        into.accept(JsonScalars.number(value));
    }

    @Override
    public void addDouble(double value) {
        into.accept(JsonScalars.number(value));
    }

    @Override
    public void addInt(int value) {
        boolean isUnsigned = logical instanceof IntLogicalTypeAnnotation integer && !integer.isSigned();
        into.accept(integer(isUnsigned ? Integer.toUnsignedLong(value) : value));
    }

    @Override
    public void addLong(long value) {
        boolean isUnsigned = logical instanceof IntLogicalTypeAnnotation integer && !integer.isSigned();
        into.accept(
                isUnsigned && value < 0
                        ? NODES.numberNode(new BigInteger(Long.toUnsignedString(value)))
                        : integer(value));
    }

    private JsonNode integer(long value) {
        if (logical instanceof DateLogicalTypeAnnotation) {
            return JsonScalars.date(value);
        } else if (logical instanceof TimeLogicalTypeAnnotation time) {
            return JsonScalars.time(value, unit(time.getUnit()));
        } else if (logical instanceof TimestampLogicalTypeAnnotation timestamp) {
            return JsonScalars.timestamp(value, unit(timestamp.getUnit()), timestamp.isAdjustedToUTC());
        } else if (logical instanceof DecimalLogicalTypeAnnotation decimal) {
            return JsonScalars.decimal(BigInteger.valueOf(value), decimal.getScale());
        }
        return NODES.numberNode(value);
    }

    private static TimeUnit unit(LogicalTypeAnnotation.TimeUnit unit) {
        return switch (unit) {
            case MILLIS -> TimeUnit.MILLISECONDS;
            case MICROS -> TimeUnit.MICROSECONDS;
            case NANOS -> TimeUnit.NANOSECONDS;
        };
    }

    @Override
    public void addBinary(Binary value) {
        into.accept(binary(value.getBytes()));
    }

    private JsonNode binary(byte[] bytes) {
        if (logical instanceof DecimalLogicalTypeAnnotation decimal && bytes.length > 0) {
            return JsonScalars.decimal(new BigInteger(bytes), decimal.getScale());
        } else if (logical instanceof UUIDLogicalTypeAnnotation && bytes.length == 2 * Long.BYTES) {
            ByteBuffer uuid = ByteBuffer.wrap(bytes);
            return JsonScalars.text(new UUID(uuid.getLong(), uuid.getLong()).toString());
        } else if (logical instanceof Float16LogicalTypeAnnotation && bytes.length == Short.BYTES) {
            return JsonScalars.number(
                    half(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getShort()));
        } else if (type == PrimitiveTypeName.INT96 && bytes.length == INT96_BYTES) {
            return int96(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
        }
        return JsonScalars.bytes(bytes);
    }

    /** IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction. */
    private static float half(short bits) {
        int exponent = bits >> 10 & 0x1f;
        int fraction = bits & 0x3ff;
        float size = exponent == 0x1f
                ? fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN
                : exponent == 0
                        ? Math.scalb((float) fraction, -24)
                        : Math.scalb((float) (fraction | 0x400), exponent - 25);
        return bits < 0 ? -size : size;
    }

    /** A point in time as old writers have it: nanoseconds of a Julian day. */
    private static JsonNode int96(ByteBuffer value) {
        long nanoOfDay = value.getLong();
        long second = (value.getInt() - JULIAN_DAY_OF_EPOCH) * SECONDS_PER_DAY;
        long micros = TimeUnit.SECONDS.toMicros(second) + TimeUnit.NANOSECONDS.toMicros(nanoOfDay);
        return JsonScalars.timestamp(micros, TimeUnit.MICROSECONDS, true);
    }
}
