package io.radixflow.engine;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One row of {@link EngineOptions}: from it come the command-line flag {@code --name}, the Flink key {@code radixflow.name} and
 * the README's table.
 *
 * @param name kebab-case, as SGLang spells it
 * @param type of the value; {@code Boolean} options are flags without a value on the command line
 * @param defaultValue as text, or null where the engine decides (the help says how)
 * @param choices allowed texts, empty if any
 * @param help one sentence, with the unit
 * @param parser from text; throws IllegalArgumentException with what is allowed
 */
public record EngineOption<T>(
        String name,
        Class<T> type,
        @Nullable String defaultValue,
        List<String> choices,
        String help,
        Function<String, T> parser) {

    public EngineOption {
        choices = List.copyOf(choices);
    }

    /** @throws EngineException of category CONFIGURATION that names the flag and what it takes */
    T parse(String text) {
        if (!choices.isEmpty() && !choices.contains(text)) {
            throw invalid(text, "one of " + String.join(", ", choices));
        }
        try {
            return parser.apply(text);
        } catch (IllegalArgumentException e) {
            throw invalid(text, e instanceof NumberFormatException ? "a number" : e.getMessage());
        }
    }

    private EngineException invalid(String text, @Nullable String allowed) {
        return new EngineException(
                EngineException.Category.CONFIGURATION, "--" + name + " takes " + allowed + ", got '" + text + "'");
    }
}
