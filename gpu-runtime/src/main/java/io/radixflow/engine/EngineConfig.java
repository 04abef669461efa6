package io.radixflow.engine;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Checked, immutable values of {@link EngineOptions}.
 *
 * <p>Made from texts (flags, Flink keys) so that every way in is checked alike; {@link #asMap()} gives the texts back, for
 * shipping to another machine.
 */
public final class EngineConfig {

    private final Map<String, String> texts;
    private final Map<String, Object> values = new HashMap<>();

    private EngineConfig(Map<String, String> texts) {
        this.texts = Map.copyOf(texts);
        Map<String, String> rest = new LinkedHashMap<>(texts);
        for (EngineOption<?> option : EngineOptions.all()) {
            String text = rest.remove(option.name());
            String effective = text == null ? option.defaultValue() : text;
            if (effective != null) {
                values.put(option.name(), option.parse(effective));
            }
        }
        if (!rest.isEmpty()) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    "unknown option --" + rest.keySet().iterator().next() + "; see --help for the known ones");
        }
    }

    /**
     * @param texts option name (without {@code --} or {@code radixflow.}) to value
     * @throws EngineException of category CONFIGURATION that names the option and what it takes
     */
    public static EngineConfig of(Map<String, String> texts) {
        return new EngineConfig(texts);
    }

    /** The option's value; for options without a default use {@link #find}. */
    public <T> T get(EngineOption<T> option) {
        return find(option)
                .orElseThrow(() -> new EngineException(
                        EngineException.Category.CONFIGURATION,
                        "--" + option.name() + " is required: " + option.help()));
    }

    /** The option's value, or empty if it has no default and was not given. */
    public <T> Optional<T> find(EngineOption<T> option) {
        return Optional.ofNullable(option.type().cast(values.get(option.name())));
    }

    /** The texts that were given, without defaults. */
    public Map<String, String> asMap() {
        return texts;
    }
}
