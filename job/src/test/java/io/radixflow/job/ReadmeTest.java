package io.radixflow.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.EngineOption;
import io.radixflow.engine.EngineOptions;
import io.radixflow.schemas.ErrorCode;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** README.md says what the tables say. With {@code -Dradixflow.readme.update=true} the options' table is written anew. */
class ReadmeTest {

    private static final String BEGIN = "<!-- engine options: made by ReadmeTest from EngineOptions -->\n";
    private static final String END = "<!-- end of engine options -->";
    private static final Path README =
            Path.of(System.getProperty("radixflow.models")).resolveSibling("README.md");

    private static String table() {
        StringBuilder table = new StringBuilder("| flag | default | what it does |\n| --- | --- | --- |\n");
        for (EngineOption<?> option : EngineOptions.all()) {
            String choices = option.choices().isEmpty() || option.type() == Boolean.class
                    ? ""
                    : " " + String.join("\\|", option.choices());
            table.append("| `--")
                    .append(option.name())
                    .append('`')
                    .append(choices)
                    .append(" | ")
                    .append(option.defaultValue() == null ? "" : option.defaultValue())
                    .append(" | ")
                    .append(option.help().replace("|", "\\|"))
                    .append(" |\n");
        }
        return table.toString();
    }

    @Test
    void tableOfEngineOptionsIsCurrent() throws Exception {
        String readme = Files.readString(README);
        int begin = readme.indexOf(BEGIN) + BEGIN.length();
        int end = readme.indexOf(END);
        assertThat(begin).isLessThanOrEqualTo(end).isGreaterThanOrEqualTo(BEGIN.length());
        if (Boolean.getBoolean("radixflow.readme.update")) {
            readme = readme.substring(0, begin) + table() + readme.substring(end);
            Files.writeString(README, readme);
        } else {
            assertThat(readme.substring(begin, end)).isEqualTo(table());
        }
    }

    @Test
    void namesEachErrorCode() throws Exception {
        String readme = Files.readString(README);
        for (ErrorCode code : ErrorCode.values()) {
            assertThat(readme).contains("| `" + code.wireName() + "` |");
        }
    }
}
