package io.radixflow.job.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.job.pipeline.AnswerColumns.AnswerColumn;
import io.radixflow.job.rows.ColumnType;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswerColumnsTest {

    private static final AnswerColumns COLUMNS = new AnswerColumns(List.of(
            new AnswerColumn("s", "s", ColumnType.TEXT),
            new AnswerColumn("answer_text", "text", ColumnType.TEXT),
            new AnswerColumn("n", "n", ColumnType.LONG),
            new AnswerColumn("x", "x", ColumnType.DOUBLE),
            new AnswerColumn("b", "b", ColumnType.BOOLEAN),
            new AnswerColumn("j", "j", ColumnType.JSON)));

    private static String filled(AnswerColumns columns, String answer) {
        ObjectNode row = JsonNodeFactory.instance.objectNode();
        columns.fill(row, answer);
        return row.toString();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"s\": \"a\", \"text\": \"t\", \"n\": 7, \"x\": 1, \"b\": true, \"j\": [1, {\"k\": null}]}"
                        + "|{\"s\":\"a\",\"answer_text\":\"t\",\"n\":7,\"x\":1.0,\"b\":true,\"j\":\"[1,{\\\"k\\\":null}]\"}",
                "{\"j\": \"a\"}|{\"j\":\"\\\"a\\\"\"}",
                "{\"n\": 1e2, \"x\": 1e2, \"other\": 1}|{\"n\":100,\"x\":100.0}",
                "{\"n\": -9223372036854775808}|{\"n\":-9223372036854775808}",
                "{\"n\": 9223372036854775808, \"x\": 1e999, \"s\": null, \"j\": null}|{}",
                "{\"n\": 1.5, \"s\": 1, \"x\": \"1\", \"b\": 0}|{}",
                "{\"n\": 1e99999999999, \"s\": \"a\"}|{}",
                "{\"s\": \"a\"} and more|{}",
                "{\"s\": \"a|{}",
                "[1]|{}",
                "``|{}",
            })
    void valuesThatFitAreSet(String answer, String row) {
        assertThat(filled(COLUMNS, answer)).isEqualTo(row);
    }

    @Test
    void anAnswerMayBeOneColumnAsAWhole() {
        AnswerColumns whole = new AnswerColumns(List.of(new AnswerColumn("value", null, ColumnType.JSON)));
        assertThat(filled(whole, " [1, 2] ")).isEqualTo("{\"value\":\"[1,2]\"}");
        assertThat(filled(whole, "null")).isEqualTo("{}");
    }

    @Test
    void longNumbersAreNoReasonToGiveUp() {
        String digits = "1".repeat(5_000);
        assertThat(filled(COLUMNS, "{\"j\": " + digits + ", \"n\": " + digits + ", \"s\": \"a\"}"))
                .isEqualTo("{\"s\":\"a\",\"j\":\"" + digits + "\"}");
        assertThat(filled(COLUMNS, "{\"j\": " + "[".repeat(5_000) + "]".repeat(5_000) + "}"))
                .isEqualTo("{}");
    }
}
