package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Kernels that were built from other sources than those beside them must not be shipped. */
final class KernelStampTest {

    private static final Path SOURCES = Path.of("src/main/cuda");

    @Test
    void kernelsWereBuiltFromTheSourcesThatAreHere() throws IOException, NoSuchAlgorithmException {
        StringBuilder hashes = new StringBuilder();
        for (Path source : sources()) {
            String name = "./" + SOURCES.relativize(source).toString();
            hashes.append(sha256(Files.readAllBytes(source)))
                    .append("  ")
                    .append(name)
                    .append('\n');
        }
        String expected = sha256(hashes.toString().getBytes(StandardCharsets.UTF_8));
        assertThat(resource("kernels.stamp"))
                .as("run scripts/build-kernels.sh and commit what it writes")
                .contains("sources=" + expected);
    }

    @Test
    void everyFamilyIsBuiltForBothTargets() throws IOException {
        for (Path source : sources()) {
            String name = String.valueOf(source.getFileName());
            if (name.endsWith(".cu")) {
                String family = name.substring(0, name.length() - 3);
                assertThat(resource(family + ".cubin")).isNotEmpty();
                assertThat(resource(family + ".ptx")).contains(".target sm_80");
            }
        }
    }

    /** In the order of the script: by name, byte by byte. */
    private static List<Path> sources() throws IOException {
        try (Stream<Path> files = Files.walk(SOURCES)) {
            return files.filter(file -> file.toString().matches(".*\\.cuh?"))
                    .sorted()
                    .toList();
        }
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = Objects.requireNonNull(KernelStampTest.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    private static String sha256(byte[] bytes) throws NoSuchAlgorithmException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
