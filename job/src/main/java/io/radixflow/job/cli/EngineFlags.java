package io.radixflow.job.cli;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineOption;
import io.radixflow.engine.EngineOptions;
import io.radixflow.job.models.ModelCatalog;
import io.radixflow.job.pipeline.FlinkOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The engine's flags, made from {@link EngineOptions}, and what was given for them. */
final class EngineFlags {

    private EngineFlags() {}

    /** Adds a flag for each row of the table. */
    static void addTo(CommandSpec command) {
        ArgGroupSpec.Builder group = ArgGroupSpec.builder()
                .validate(false)
                .heading("Engine options (each also as Flink key radixflow.<name>):%n");
        for (EngineOption<?> option : EngineOptions.all()) {
            group.addArg(flag(option));
        }
        command.addArgGroup(group.build());
    }

    /**
     * The values of flags and, where a flag is not given, of Flink keys; {@code model-path} and {@code tokenizer-path} are resolved to
     * files. The simulated device needs none.
     *
     * @throws io.radixflow.job.UserException if the model is not there
     * @throws io.radixflow.engine.EngineException of category CONFIGURATION if a value is wrong or no model is named
     */
    static EngineConfig config(CommandSpec command, Configuration flink) {
        return config(command, flink, Map.of());
    }

    /** Like the other form; {@code fallbacks} are taken where neither flag nor key is given. */
    static EngineConfig config(CommandSpec command, Configuration flink, Map<String, String> fallbacks) {
        Map<String, String> texts = new HashMap<>(fallbacks);
        texts.putAll(FlinkOptions.engineTexts(flink));
        texts.putAll(given(command.commandLine().getParseResult()));
        EngineConfig config = EngineConfig.of(texts);
        if (isSimulated(config) && config.find(EngineOptions.MODEL_PATH).isEmpty()) {
            return config;
        }
        String model = config.get(EngineOptions.MODEL_PATH);
        ModelCatalog catalog = new ModelCatalog(Home.modelsDir());
        Path path = catalog.resolve(model);
        texts.put(EngineOptions.MODEL_PATH.name(), path.toAbsolutePath().toString());
        texts.computeIfPresent(
                EngineOptions.TOKENIZER_PATH.name(),
                (option, tokenizer) ->
                        catalog.resolve(tokenizer).toAbsolutePath().toString());
        return EngineConfig.of(texts);
    }

    /** Whether figures of an engine of this configuration are no measurements. */
    static boolean isSimulated(EngineConfig config) {
        return config.get(EngineOptions.DEVICE).equals("simulated");
    }

    private static Map<String, String> given(ParseResult parsed) {
        Map<String, String> texts = new HashMap<>();
        for (EngineOption<?> option : EngineOptions.all()) {
            String flag = "--" + option.name();
            if (parsed.hasMatchedOption(flag)) {
                String text = parsed.matchedOptionValue(flag, "");
                texts.put(option.name(), text);
            }
        }
        return texts;
    }

    private static OptionSpec flag(EngineOption<?> option) {
        OptionSpec.Builder flag = OptionSpec.builder("--" + option.name())
                .type(String.class)
                .description(description(option).toArray(String[]::new));
        if (option.type() == Boolean.class) {
            flag.arity("0..1").fallbackValue("true").paramLabel("true|false");
        } else {
            flag.arity("1").paramLabel(paramLabel(option));
        }
        return flag.build();
    }

    private static List<String> description(EngineOption<?> option) {
        List<String> lines = new ArrayList<>();
        lines.add(option.help().replace("%", "%%"));
        if (option.defaultValue() != null && option.type() != Boolean.class) {
            lines.add("Default: " + option.defaultValue());
        }
        return lines;
    }

    private static String paramLabel(EngineOption<?> option) {
        if (!option.choices().isEmpty()) {
            return String.join("|", option.choices());
        }
        return option.type() == String.class ? "TEXT" : "N";
    }
}
