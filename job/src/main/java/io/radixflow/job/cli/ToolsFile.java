package io.radixflow.job.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.job.UserException;
import io.radixflow.schemas.PromptParser;
import io.radixflow.schemas.RecordException;
import io.radixflow.schemas.RecordFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A file with a JSON list of tools as OpenAI's chat API takes them; the rules are those of a record's {@code tools}. */
final class ToolsFile {

    private ToolsFile() {}

    /**
     * The tools as plain values for a chat template.
     *
     * @throws UserException if the file cannot be read or holds something else
     */
    static List<@Nullable Object> read(Path file) {
        String where = "the tools in " + file;
        try {
            ObjectMapper json = new ObjectMapper();
            JsonNode tools = json.readTree(Files.readString(file));
            ObjectNode body = json.createObjectNode();
            body.putArray("messages").addObject().put("role", "user").put("content", "");
            body.set("tools", tools);
            List<@Nullable Object> parsed = new PromptParser(RecordFormat.JSON)
                    .parse(json.writeValueAsString(body).getBytes(UTF_8))
                    .input()
                    .tools();
            if (parsed == null) {
                throw new UserException(where + " are none; give a JSON list of at least one function");
            }
            return parsed;
        } catch (RecordException e) {
            throw new UserException(where + " are not usable: " + e.reason(), e);
        } catch (JsonProcessingException e) {
            throw new UserException(where + " are no JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new UserException(where + " cannot be read: " + e, e);
        }
    }
}
