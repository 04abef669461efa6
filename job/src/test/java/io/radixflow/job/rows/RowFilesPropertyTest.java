package io.radixflow.job.rows;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Broken files of strangers: bytes changed, cut off, cut out. A file is refused as broken, or gives as many rows as it was counted
 * to have, each whole or with its problem; nothing else is thrown, and nothing runs on for ever.
 */
class RowFilesPropertyTest {

    private static final RowInput BY_NAME = new RowInput(null, null, true);
    private static final int NUM_TRIALS = Integer.getInteger("radixflow.trials", 100);

    @TempDir
    private Path dir;

    @ParameterizedTest
    @Timeout(240)
    @ValueSource(
            strings = {
                "none.parquet",
                "snappy.parquet",
                "gzip.parquet",
                "zstd.parquet",
                "lz4.parquet",
                "null.avro",
                "deflate.avro",
                "snappy.avro",
                "zstandard.avro",
                "avro-rows.jsonl",
                "rows.csv"
            })
    void isRefusedOrGivesTheRowsThatWereCounted(String name) throws Exception {
        byte[] whole = bytes(name);
        SplittableRandom random = new SplittableRandom(name.hashCode());
        for (int trial = 0; trial < NUM_TRIALS; trial++) {
            byte[] broken = broken(whole, random);
            Path file = Files.write(dir.resolve(name), broken);
            try {
                org.apache.flink.core.fs.Path path = new org.apache.flink.core.fs.Path(file.toUri());
                long counted = BY_NAME.countRows(path);
                assertThat(readAll(path, counted)).isEqualTo(counted);
            } catch (BrokenFileException e) {
                assertThat(e.getMessage()).doesNotContain("\n");
            } catch (Throwable e) {
                throw new AssertionError("trial " + trial + " of " + name, e);
            }
        }
    }

    private static long readAll(org.apache.flink.core.fs.Path path, long counted) throws IOException {
        long rows = 0;
        try (RowReader reader = BY_NAME.open(path)) {
            for (Row row = reader.next(); row != null && rows <= Math.min(counted, 5_000); row = reader.next()) {
                rows++;
            }
        }
        return rows > 5_000 ? counted : rows; // a row group may say that it has 10^18 rows
    }

    private static byte[] bytes(String name) throws IOException, URISyntaxException {
        return name.equals("rows.csv")
                ? "id,text\n1,a\n2,\"b, \"\"c\"\"\"\n3,\"d\ne\"\n4,f\n".getBytes(UTF_8)
                : Files.readAllBytes(Path.of(
                        Objects.requireNonNull(RowFilesPropertyTest.class.getResource("/golden/row-files/" + name))
                                .toURI()));
    }

    private static byte[] broken(byte[] whole, SplittableRandom random) {
        byte[] bytes = whole.clone();
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes && bytes.length > 1; i++) {
            int place = random.nextInt(bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[place] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[place] = (byte) (random.nextBoolean() ? 0xff : random.nextInt(256));
                case 2 -> bytes = random.nextInt(4) == 0 ? Arrays.copyOf(bytes, place) : bytes;
                default -> {
                    int length = Math.min(bytes.length - place, 1 + random.nextInt(20));
                    byte[] shorter = new byte[bytes.length - length];
                    System.arraycopy(bytes, 0, shorter, 0, place);
                    System.arraycopy(bytes, place + length, shorter, place, shorter.length - place);
                    bytes = shorter;
                }
            }
        }
        return bytes;
    }
}
