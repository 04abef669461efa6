package io.radixflow.job.cli;

import java.time.Duration;
import org.apache.flink.util.TimeUtils;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Durations as Flink writes them: {@code 500ms}, {@code 10s}, {@code 5min}. */
final class Durations implements ITypeConverter<Duration> {

    @Override
    public Duration convert(String text) {
        try {
            Duration duration = TimeUtils.parseDuration(text);
            if (duration.isZero() || duration.isNegative()) {
                throw new TypeConversionException("must be above 0, got '" + text + "'");
            }
            return duration;
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new TypeConversionException(
                    "takes a number and a unit, such as 500ms, 10s or 5min, got '" + text + "'");
        }
    }
}
