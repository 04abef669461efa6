package io.radixflow.job.cli;

import io.radixflow.job.UserException;
import io.radixflow.job.models.CatalogModel;
import io.radixflow.job.models.ModelCatalog;
import io.radixflow.job.models.ModelFetcher;
import io.radixflow.job.models.ModelReport;
import io.radixflow.model.ModelFiles;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code model}: fetches models and shows what is in them. */
@Command(name = "model", description = "Fetch a model, or show what is in one.", synopsisSubcommandLabel = "SUBCOMMAND")
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
}
