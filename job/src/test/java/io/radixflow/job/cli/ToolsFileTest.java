package io.radixflow.job.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.job.UserException;
import io.radixflow.text.ChatTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ToolsFileTest {

    @TempDir
    Path folder;

    @Test
    void whatTheFileSaysReachesTheTemplateInItsOrder() throws IOException {
        String tool = "{\"type\": \"function\", \"function\": {\"name\": \"f\", \"parameters\": {\"type\": \"object\","
                + " \"properties\": {\"z\": {\"type\": \"number\", \"default\": 0.5}, \"a\": {\"maximum\": 7}}}}}";
        List<?> tools = ToolsFile.read(write("[" + tool + "]"));
        String rendered = ChatTemplate.parse("{% for tool in tools %}{{ tool | tojson }}{% endfor %}")
                .render(Map.of("tools", tools));
        assertThat(rendered).isEqualTo(tool);
    }

    @Test
    void theExampleIsReadable() {
        assertThat(ToolsFile.read(Path.of("../examples/tools.json"))).hasSize(2);
    }

    @Test
    void refusesWhatIsNoListOfFunctions() throws IOException {
        assertRefused("{", " are no JSON: ");
        assertRefused("{\"type\": \"function\"}", " are not usable: tools must be a list");
        assertRefused("[]", " are none; ");
        assertRefused("", " are none; ");
        assertRefused(
                "[{\"type\": \"function\", \"function\": {}}]", "tools[0].function.name must be a non-empty string");
        assertRefused("[{\"name\": \"f\"}]", "tools[0] of a type other than function");
    }

    private void assertRefused(String text, String why) throws IOException {
        Path file = write(text);
        assertThatThrownBy(() -> ToolsFile.read(file))
                .isInstanceOf(UserException.class)
                .hasMessageStartingWith("the tools in " + file)
                .hasMessageContaining(why);
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("tools.json"), text);
    }
}
