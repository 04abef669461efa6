package io.radixflow.job.pipeline;

import io.radixflow.engine.EngineOption;
import io.radixflow.engine.EngineOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;

/** The engine's options as Flink keys {@code radixflow.<name>}, made from {@link EngineOptions}. */
public final class FlinkOptions {

    public static final String PREFIX = "radixflow.";

    private FlinkOptions() {}

    /** A key for each row of the table, in its order. All are texts, since the engine's own table checks them. */
    public static List<ConfigOption<String>> all() {
        return EngineOptions.all().stream().map(FlinkOptions::of).toList();
    }

    /** What the configuration says of the engine: option name to text, without those that it does not name. */
    public static Map<String, String> engineTexts(ReadableConfig config) {
        Map<String, String> texts = new LinkedHashMap<>();
        for (ConfigOption<String> option : all()) {
            config.getOptional(option).ifPresent(text -> texts.put(option.key().substring(PREFIX.length()), text));
        }
        return texts;
    }

    private static ConfigOption<String> of(EngineOption<?> option) {
        return ConfigOptions.key(PREFIX + option.name())
                .stringType()
                .noDefaultValue()
                .withDescription(option.help());
    }
}
