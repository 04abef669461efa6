package io.radixflow.job.rows;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows of each format, of files that pyarrow and fastavro wrote and of texts. */
class RowFilesTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final RowInput BY_NAME = new RowInput(null, null, false);

    @TempDir
    private Path dir;

    private static Path golden(String name) throws URISyntaxException {
        URL url = Objects.requireNonNull(RowFilesTest.class.getResource("/golden/row-files/" + name), name);
        return Path.of(url.toURI());
    }

    private static org.apache.flink.core.fs.Path path(Path file) {
        return new org.apache.flink.core.fs.Path(file.toUri());
    }

    private static List<Row> rows(RowInput input, Path file, long numToSkip) throws IOException {
        List<Row> rows = new ArrayList<>();
        try (RowReader reader = input.open(path(file))) {
            reader.skip(numToSkip);
            for (Row row = reader.next(); row != null; row = reader.next()) {
                rows.add(row);
            }
        }
        return rows;
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(dir.resolve(name), text);
    }

    private static List<String> texts(List<Row> rows) {
        return rows.stream()
                .map(row -> row.number() + ":" + new String(row.value(), UTF_8)
                        + (row.problem() == null ? "" : " " + row.problem()))
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        "none.parquet, parquet-rows.jsonl",
        "snappy.parquet, parquet-rows.jsonl",
        "gzip.parquet, parquet-rows.jsonl",
        "zstd.parquet, parquet-rows.jsonl",
        "lz4.parquet, parquet-rows.jsonl",
        "null.avro, avro-rows.jsonl",
        "deflate.avro, avro-rows.jsonl",
        "snappy.avro, avro-rows.jsonl",
        "zstandard.avro, avro-rows.jsonl"
    })
    void readsWhatOthersWrote(String name, String expected) throws Exception {
        List<JsonNode> wanted = new ArrayList<>();
        for (String line : Files.readAllLines(golden(expected))) {
            wanted.add(JSON.readTree(line));
        }
        assertThat(BY_NAME.countRows(path(golden(name)))).isEqualTo(wanted.size());
        for (int skip = 0; skip <= wanted.size() + 1; skip++) {
            List<Row> rows = rows(BY_NAME, golden(name), skip);
            assertThat(rows).hasSize(Math.max(0, wanted.size() - skip));
            for (int i = 0; i < rows.size(); i++) {
                assertThat(rows.get(i).number()).isEqualTo(skip + i + 1L);
                assertThat(rows.get(i).problem()).isNull();
                assertThat(JSON.readTree(rows.get(i).value())).isEqualTo(wanted.get(skip + i));
            }
        }
    }

    @Test
    void namesACodecThatIsNotThere() throws Exception {
        assertThat(rows(BY_NAME, golden("brotli.parquet"), 0))
                .hasSize(6)
                .allSatisfy(row -> assertThat(row.problem()).contains("its codec is BROTLI"));
    }

    @Test
    void knowsTheTypesOfColumns() throws Exception {
        assertThat(BY_NAME.columns(path(golden("none.parquet"))))
                .containsEntry("a text", ColumnType.TEXT)
                .containsEntry("flag", ColumnType.BOOLEAN)
                .containsEntry("small", ColumnType.LONG)
                .containsEntry("big unsigned", ColumnType.TEXT)
                .containsEntry("ratio", ColumnType.DOUBLE)
                .containsEntry("exact", ColumnType.TEXT)
                .containsEntry("words", ColumnType.TEXT);
        assertThat(BY_NAME.columns(path(golden("null.avro"))))
                .containsEntry("text", ColumnType.TEXT)
                .containsEntry("count", ColumnType.LONG)
                .containsEntry("day", ColumnType.TEXT)
                .containsEntry("ratio", ColumnType.DOUBLE);
    }

    @Test
    void readsLinesAsTheyAreAndCountsBlankOnes() throws IOException {
        Path file = write("a.jsonl", "\ufeff{\"a\":1}\r\n\n  \n{broken\n\"last\"");
        assertThat(texts(rows(BY_NAME, file, 0))).containsExactly("1:{\"a\":1}", "4:{broken", "5:\"last\"");
        assertThat(texts(rows(BY_NAME, file, 2))).containsExactly("5:\"last\"");
        assertThat(BY_NAME.countRows(path(file))).isEqualTo(3);
        assertThat(rows(BY_NAME, write("empty.jsonl", ""), 0)).isEmpty();
    }

    @Test
    void aLineThatIsTooLongIsARowWithAProblem() throws IOException {
        String line = "x".repeat(JsonlRows.MAX_LINE_BYTES + 1);
        List<Row> rows = rows(BY_NAME, write("long.jsonl", line + "\n{}\n"), 0);
        assertThat(rows).hasSize(2);
        assertThat(rows.get(0).problem()).contains("longer than 16777216 bytes");
        assertThat(rows.get(0).value()).isEmpty();
        assertThat(rows.get(1).number()).isEqualTo(2);
    }

    @Test
    void readsQuotedValuesOfCsv() throws IOException {
        Path file = write("a.csv", "\ufeffid,\"the text\"\r\n1,\"say \"\"hi\"\",\nyou\"\r\n\r\n2,\n3\n4,b,c\n");
        assertThat(texts(rows(BY_NAME, file, 0)))
                .containsExactly(
                        "1:{\"id\":\"1\",\"the text\":\"say \\\"hi\\\",\\nyou\"}",
                        "2:{\"id\":\"2\",\"the text\":\"\"}",
                        "3:3 the row has 1 values, the first line names 2 columns",
                        "4:4,b,c the row has 3 values, the first line names 2 columns");
        assertThat(texts(rows(BY_NAME, write("a.tsv", "a\tb\n1,2\t3\n"), 0)))
                .containsExactly("1:{\"a\":\"1,2\",\"b\":\"3\"}");
        assertThat(texts(rows(new RowInput(RowFormat.CSV, ';', false), write("a.txt", "a;b\n1;2\n"), 0)))
                .containsExactly("1:{\"a\":\"1\",\"b\":\"2\"}");
    }

    @Test
    void textOfBodiesIsTakenAsJsonWhereTheApiWantsMore() throws IOException {
        Path file = write(
                "a.csv",
                "custom_id,messages,max_tokens,stop,seed\n7,\"[{\"\"role\"\":\"\"user\"\",\"\"content\"\":\"\"1\"\"}]\",8,no json,\n");
        assertThat(texts(rows(new RowInput(null, null, true), file, 0)))
                .containsExactly(
                        "1:{\"custom_id\":\"7\",\"messages\":[{\"role\":\"user\",\"content\":\"1\"}],\"max_tokens\":8,\"stop\":\"no json\"}");
    }

    @Test
    void readsCompressedText() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write("{\"a\":1}\n{\"a\":2}\n".getBytes(UTF_8));
        }
        Path file = Files.write(dir.resolve("a.jsonl.gz"), bytes.toByteArray());
        assertThat(rows(BY_NAME, file, 0)).hasSize(2);
        Path cut = Files.write(dir.resolve("cut.jsonl.gz"), Arrays.copyOf(bytes.toByteArray(), 20));
        assertThatThrownBy(() -> BY_NAME.countRows(path(cut)))
                .isInstanceOf(BrokenFileException.class)
                .hasMessageContaining("it is broken after line ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "e.csv|''|it is empty; its first line must name the columns",
                "d.csv|a,b,a|names a column twice: a, b, a",
                "q.csv|a,b#1,2#\"3,4#5,6#|after row 1, is no CSV",
                "p.parquet|PAR1 and nothing else PAR1|it is no whole Parquet file: ",
                "a.avro|a,b|it is no Avro container file",
            })
    void refusesWhatIsNoSuchFile(String name, @Nullable String text, String message) throws IOException {
        Path file = write(name, text == null ? "" : text.replace('#', '\n'));
        assertThatThrownBy(() -> BY_NAME.countRows(path(file)))
                .isInstanceOf(BrokenFileException.class)
                .hasMessageContaining(message);
    }

    @Test
    void bytesThatAreNoUtf8AreNamedAtOnce() throws IOException {
        Path file = Files.write(dir.resolve("l.csv"), "a\nok\ncaf\u00e9\n".getBytes(ISO_8859_1));
        assertThatThrownBy(() -> BY_NAME.countRows(path(file)))
                .isInstanceOf(BrokenFileException.class)
                .hasMessageContaining("has bytes that are no UTF-8; convert it to UTF-8");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null.avro", "snappy.parquet"})
    void aBrokenPartCostsItsOwnRows(String name) throws Exception {
        Path whole = golden(name);
        byte[] bytes = Files.readAllBytes(whole);
        int place = name.endsWith("avro") ? bytes.length - 60 : 200;
        for (int i = 0; i < 20; i++) {
            bytes[place + i] = (byte) 0xff;
        }
        Path file = Files.write(dir.resolve(name), bytes);
        List<Row> rows = rows(BY_NAME, file, 0);
        assertThat(rows).hasSize((int) BY_NAME.countRows(path(whole)));
        assertThat(rows).anySatisfy(row -> assertThat(row.problem()).contains("the file is broken here, up to row "));
        assertThat(rows).anySatisfy(row -> assertThat(row.problem()).isNull());
    }
}
