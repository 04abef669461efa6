package io.radixflow.job.rows;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.concurrent.TimeUnit;

/** Values of binary formats that JSON has no type for: dates and times as ISO 8601, bytes as their text or else base64. */
final class JsonScalars {

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private JsonScalars() {}

    static JsonNode text(String value) {
        return NODES.textNode(value);
    }

    /** Null if JSON has no such number. */
    static JsonNode number(double value) {
        return Double.isNaN(value) || Double.isInfinite(value) ? NODES.nullNode() : NODES.numberNode(value);
    }

    static JsonNode number(float value) {
        return Float.isNaN(value) || Float.isInfinite(value) ? NODES.nullNode() : NODES.numberNode(value);
    }

    static JsonNode date(long epochDay) {
        return text(LocalDate.ofEpochDay(epochDay).toString());
    }

    static JsonNode time(long value, TimeUnit unit) {
        return text(LocalTime.ofNanoOfDay(unit.toNanos(value)).toString());
    }

    /** @param isInstant a point in time, else what a clock on the wall showed */
    static JsonNode timestamp(long value, TimeUnit unit, boolean isInstant) {
        long perSecond = unit.convert(1, TimeUnit.SECONDS);
        Instant instant =
                Instant.ofEpochSecond(Math.floorDiv(value, perSecond), unit.toNanos(Math.floorMod(value, perSecond)));
        return text(
                isInstant
                        ? instant.toString()
                        : LocalDateTime.ofInstant(instant, ZoneOffset.UTC).toString());
    }

    static JsonNode decimal(BigInteger unscaled, int scale) {
        return DecimalNode.valueOf(new BigDecimal(unscaled, scale));
    }

    static JsonNode bytes(byte[] value) {
        try {
            return text(UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString());
        } catch (CharacterCodingException e) {
            return text(Base64.getEncoder().encodeToString(value));
        }
    }
}
