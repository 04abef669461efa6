package io.radixflow.job.rows;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CsvTableTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TableSchema TABLE = new TableSchema(List.of(
            new TableSchema.Column("a text", ColumnType.TEXT),
            new TableSchema.Column("n", ColumnType.LONG),
            new TableSchema.Column("x", ColumnType.DOUBLE),
            new TableSchema.Column("is", ColumnType.BOOLEAN)));

    private static byte[] table(String... rows) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (CsvTable table = new CsvTable(out, TABLE)) {
            for (String row : rows) {
                table.write(JSON.readTree(row));
            }
        }
        return out.toByteArray();
    }

    @Test
    void quotesWhatNeedsIt() throws IOException {
        byte[] bytes = table(
                "{\"a text\":\"say \\\"hi\\\",\\nyou\",\"n\":-7,\"x\":0.25,\"is\":true}",
                "{\"a text\":\"\"}",
                "{\"a text\":\"\\u00e9\\ud83d\\ude00\\r\",\"n\":null}",
                "{\"a text\":\"plain\",\"n\":1,\"x\":2.0,\"is\":false}");
        assertThat(new String(bytes, UTF_8).split("(?<=\r\n)"))
                .containsExactly(
                        "\"a text\",n,x,is\r\n",
                        "\"say \"\"hi\"\",\nyou\",-7,0.25,true\r\n",
                        "\"\",,,\r\n",
                        "\"\u00e9\ud83d\ude00\r\",,,\r\n",
                        "plain,1,2.0,false\r\n");
    }

    @Test
    void halfASurrogatePairBecomesAQuestionMark() throws IOException {
        assertThat(new String(table("{\"a text\":\"\\ud83dx\\ude00\"}"), UTF_8)).endsWith("\r\n?x?,,,\r\n");
    }

    @Test
    void isReadBackWithItsNulls() throws IOException {
        List<String> rows = new ArrayList<>();
        byte[] bytes = table("{\"a text\":\"\",\"x\":1.5}", "{\"a text\":\" ' \\\" \\\\ # \\n\"}");
        try (CsvRows reader = CsvRows.ofTable(new ByteArrayInputStream(bytes))) {
            for (Row row = reader.next(); row != null; row = reader.next()) {
                rows.add(new String(row.value(), UTF_8));
            }
        }
        assertThat(rows)
                .containsExactly(
                        "{\"a text\":\"\",\"n\":null,\"x\":\"1.5\",\"is\":null}",
                        "{\"a text\":\" ' \\\" \\\\ # \\n\",\"n\":null,\"x\":null,\"is\":null}");
    }
}
