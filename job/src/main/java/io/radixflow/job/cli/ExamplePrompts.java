package io.radixflow.job.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.job.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A file of prompts, one JSON body or Batch line a line, and what is expected of each. */
final class ExamplePrompts {

    /**
     * One line.
     *
     * @param key its {@code custom_id}, or null
     * @param value as it stands in the file
     * @param question the last message, shortened for the eye
     * @param expectedError the code of the dead letter that the line says it becomes ({@code metadata.expect}), or null
     */
    record Prompt(
            @Nullable String key,
            String value,
            String question,
            @Nullable String expectedError) {}

    private static final int QUESTION_CHARS = 60;

    private ExamplePrompts() {}

    /** @throws UserException if the file cannot be read or is empty */
    static List<Prompt> read(Path file) {
        ObjectMapper json = new ObjectMapper();
        try {
            List<Prompt> prompts = new ArrayList<>();
            for (String line : Files.readAllLines(file)) {
                if (!line.isBlank()) {
                    prompts.add(prompt(json, line));
                }
            }
            if (prompts.isEmpty()) {
                throw new UserException("no prompts in " + file + "; give one JSON chat body a line");
            }
            return prompts;
        } catch (IOException e) {
            throw new UserException("the prompts in " + file + " cannot be read: " + e, e);
        }
    }

    private static Prompt prompt(ObjectMapper json, String line) {
        try {
            JsonNode record = json.readTree(line);
            JsonNode body = record.path("body").isObject() ? record.path("body") : record;
            JsonNode messages = body.path("messages");
            String question = messages.isEmpty()
                    ? text(body.path("prompt"))
                    : messages.get(messages.size() - 1).path("content").asText();
            return new Prompt(
                    record.path("custom_id").asText(null),
                    line,
                    shorten(question, QUESTION_CHARS),
                    body.path("metadata").path("expect").asText(null));
        } catch (JsonProcessingException e) {
            return new Prompt(null, line, shorten(line, QUESTION_CHARS), "invalid_json");
        }
    }

    private static String text(JsonNode prompt) {
        return prompt.isTextual() ? prompt.asText() : prompt.toString();
    }

    /** One line of at most so many characters. */
    static String shorten(String text, int maxChars) {
        String line = text.strip().replaceAll("\\s+", " ");
        return line.length() <= maxChars ? line : line.substring(0, maxChars - 3) + "...";
    }
}
