package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.job.UserException;
import io.radixflow.job.rows.ColumnType;
import io.radixflow.job.rows.Row;
import io.radixflow.job.rows.RowFormat;
import io.radixflow.job.rows.RowInput;
import io.radixflow.job.rows.RowReader;
import io.radixflow.job.rows.TableSchema;
import io.radixflow.job.rows.TableWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.core.fs.FileSystem.WriteMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputTidyTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TableSchema TABLE = new TableSchema(List.of(
            new TableSchema.Column("custom_id", ColumnType.TEXT),
            new TableSchema.Column("error_code", ColumnType.TEXT),
            new TableSchema.Column("size", ColumnType.LONG)));

    @TempDir
    private Path dir;

    private String uri() {
        return dir.toUri().toString();
    }

    private static String answer(String id) {
        return "{\"custom_id\":\"" + id + "\",\"choices\":[{\"error\":{\"code\":\"no\"}}]}";
    }

    private static String error(String id, String code) {
        return "{\"custom_id\":\"" + id + "\",\"error\":{\"message\":\"m\",\"code\":\"" + code + "\"}}";
    }

    private List<String> lines(String prefix) throws IOException {
        List<String> lines = new ArrayList<>();
        try (Stream<Path> files = Files.list(dir)) {
            for (Path file : files.filter(path -> path.getFileName().toString().startsWith(prefix))
                    .sorted()
                    .toList()) {
                lines.addAll(Files.readAllLines(file));
            }
        }
        return lines;
    }

    @Test
    void takesWholeNewAnswersFromUnfinishedFilesAndDropsWhatIsTriedAgain() throws IOException {
        Files.writeString(dir.resolve("answers-a-0.jsonl"), answer("1") + "\n");
        Files.writeString(
                dir.resolve("dead-letters-a-0.jsonl"),
                error("2", "invalid_request") + "\n" + error("3", "request_timeout") + "\n");
        Files.writeString(
                dir.resolve(".answers-b-0.jsonl.inprogress.1234"),
                answer("1") + "\n" + answer("4") + "\n" + answer("4") + "\n"
                        + answer("5").substring(0, 40));
        Files.writeString(dir.resolve(".dead-letters-b-0.jsonl.inprogress.1234"), error("6", "engine_error") + "\n");

        assertThat(OutputTidy.run(uri()))
                .containsExactly(
                        "1 rows taken from part files that a killed run left unfinished",
                        "1 rows whose failure may have passed are tried again");
        assertThat(lines("answers")).containsExactlyInAnyOrder(answer("1"), answer("4"));
        assertThat(lines("dead-letters")).containsExactly(error("2", "invalid_request"));
        assertThat(lines(".")).isEmpty();

        FinishedRows finished = FinishedRows.read(uri());
        assertThat(finished.numRows()).isEqualTo(3);
        assertThat(Stream.of("1", "2", "3", "4", "5", "6").filter(finished::contains))
                .containsExactly("1", "2", "4");
        assertThat(OutputTidy.run(uri())).isEmpty();
    }

    @Test
    void worksOnTablesAlike() throws IOException {
        table(
                "answers-a-0.parquet",
                true,
                "{\"custom_id\":\"1\",\"size\":5}",
                "{\"custom_id\":\"2\",\"error_code\":\"engine_error\"}");
        table(".answers-b-0.parquet.inprogress.1", true, "{\"custom_id\":\"1\"}", "{\"custom_id\":\"3\",\"size\":7}");
        table(".answers-b-1.parquet.inprogress.2", false, "{\"custom_id\":\"4\"}");

        assertThat(OutputTidy.run(uri())).hasSize(2);
        assertThat(rows())
                .containsExactlyInAnyOrder("{\"custom_id\":\"1\",\"size\":5}", "{\"custom_id\":\"3\",\"size\":7}");
        assertThat(lines(".")).isEmpty();
        assertThat(FinishedRows.read(uri()).numRows()).isEqualTo(2);
    }

    /** Cut at any byte, an unfinished file gives whole rows only, and none of them twice. */
    @Test
    void takesWholeRowsOfCsvWhereverItWasCut() throws IOException {
        String table = "custom_id,error_code,size\r\n1,,\r\n\"a\nb\",\"\",7\r\ncaf\u00e9,,88\r\n5,engine_error,\r\n";
        byte[] bytes = table.getBytes(UTF_8);
        List<String> whole = List.of("1,,", "\"a\nb\",\"\",7", "caf\u00e9,,88");
        int most = 0;
        for (int cut = 0; cut <= bytes.length; cut++) {
            Files.write(dir.resolve(".answers-b-0.csv.inprogress.1"), Arrays.copyOf(bytes, cut));
            OutputTidy.run(uri());
            assertThat(lines(".")).isEmpty();
            List<Path> parts = FinishedRows.parts(new org.apache.flink.core.fs.Path(uri())).stream()
                    .map(part -> dir.resolve(part.getName()))
                    .toList();
            assertThat(parts).hasSizeLessThanOrEqualTo(1);
            for (Path part : parts) {
                String[] rows = Files.readString(part).split("\r\n");
                assertThat(rows[0]).isEqualTo("custom_id,error_code,size");
                most = Math.max(most, rows.length - 1);
                assertThat(List.of(rows).subList(1, rows.length)).isEqualTo(whole.subList(0, rows.length - 1));
                Files.delete(part);
            }
        }
        assertThat(most).isEqualTo(3);
    }

    @Test
    void dropsWhatIsTriedAgainFromCsv() throws IOException {
        Files.writeString(
                dir.resolve("answers-a-0.csv"),
                "custom_id,error_code,size\r\n1,request_timeout,\r\n2,invalid_request,\r\n3,,\"\"\r\n");
        assertThat(OutputTidy.run(uri())).hasSize(1);
        assertThat(Files.readString(dir.resolve("answers-a-0.csv")))
                .isEqualTo("custom_id,error_code,size\r\n2,invalid_request,\r\n3,,\"\"\r\n");
        assertThat(FinishedRows.read(uri()).numRows()).isEqualTo(2);
    }

    @Test
    void refusesAFileThatIsNoOutput() throws IOException {
        Files.writeString(dir.resolve("answers-mine.jsonl"), "{\"id\": 1}\n");
        assertThatThrownBy(() -> FinishedRows.read(uri()))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("row 1 of ")
                .hasMessageContaining("answers-mine.jsonl is no answer of label");
    }

    private void table(String name, boolean isWhole, String... rows) throws IOException {
        org.apache.flink.core.fs.Path path =
                new org.apache.flink.core.fs.Path(dir.resolve(name).toUri());
        try (FSDataOutputStream out = path.getFileSystem().create(path, WriteMode.NO_OVERWRITE);
                TableWriter table = TableWriter.parquet(out, TABLE)) {
            for (String row : rows) {
                table.write(JSON.readTree(row));
            }
        }
        if (!isWhole) {
            byte[] bytes = Files.readAllBytes(dir.resolve(name));
            Files.write(dir.resolve(name), Arrays.copyOf(bytes, bytes.length - 9));
        }
    }

    private List<String> rows() throws IOException {
        List<String> rows = new ArrayList<>();
        try (Stream<Path> files = Files.list(dir)) {
            for (Path file : files.toList()) {
                try (RowReader reader = new RowInput(RowFormat.PARQUET, null, false)
                        .open(new org.apache.flink.core.fs.Path(file.toUri()))) {
                    for (Row row = reader.next(); row != null; row = reader.next()) {
                        rows.add(new String(row.value(), UTF_8));
                    }
                }
            }
        }
        return rows;
    }
}
