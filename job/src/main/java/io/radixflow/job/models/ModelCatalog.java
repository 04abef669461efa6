package io.radixflow.job.models;

import io.radixflow.job.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Collectors;

/** The models by name and the folder that fetched ones lie in. */
public final class ModelCatalog {

    private final Path modelsDir;

    /** @param modelsDir holds a folder for each fetched model */
    public ModelCatalog(Path modelsDir) {
        this.modelsDir = modelsDir;
    }

    /** The catalogue's row of that name, in any case. */
    public Optional<CatalogModel> find(String name) {
        return CatalogModel.all().stream()
                .filter(model -> model.name().equalsIgnoreCase(name))
                .findFirst();
    }

    /** Where the model's weight file lies, or would. */
    public Path fileOf(CatalogModel model) {
        return folderOf(model).resolve(model.fileName());
    }

    Path folderOf(CatalogModel model) {
        return modelsDir.resolve(model.name());
    }

    /** Whether the weight file is there in full size. */
    public boolean isFetched(CatalogModel model) {
        Path file = fileOf(model);
        try {
            return Files.isRegularFile(file) && Files.size(file) == model.fileBytes();
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * What {@code --model-path} means: an existing file or folder, or the name of a fetched model.
     *
     * @throws UserException if it is neither
     */
    public Path resolve(String pathOrName) {
        Path path = Path.of(pathOrName);
        if (Files.exists(path)) {
            return path;
        }
        CatalogModel model = find(pathOrName)
                .orElseThrow(() -> new UserException("no model at '" + pathOrName
                        + "': give a GGUF file, a folder with one, or one of the names " + names()));
        if (!isFetched(model)) {
            throw new UserException(
                    "model " + model.name() + " is not here yet; run: scripts/radixflow model fetch " + model.name());
        }
        return fileOf(model);
    }

    /** The names of the catalogue, separated by commas. */
    public static String names() {
        return CatalogModel.all().stream().map(CatalogModel::name).collect(Collectors.joining(", "));
    }
}
