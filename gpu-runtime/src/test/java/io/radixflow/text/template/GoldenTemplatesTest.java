package io.radixflow.text.template;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.text.ChatTemplate;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/** Every golden case, rendered by jinja2 under transformers' settings, comes out the same here; what it refuses is refused. */
class GoldenTemplatesTest {

    static final String CONVERSATIONS = "conversations.json.gz";
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void rendersConversationsAsJinja2Does() throws IOException {
        Map<String, ChatTemplate> templates = new HashMap<>();
        for (String name : List.of("smollm2", "qwen3", "qwen25")) {
            templates.put(name, ChatTemplate.parse(read(name + ".jinja")));
        }
        List<Map<String, Object>> cases = cases(CONVERSATIONS);
        List<String> differences = new ArrayList<>();
        for (Map<String, Object> one : cases) {
            Map<String, Object> variables = JSON.convertValue(one.get("variables"), new TypeReference<>() {});
            ChatTemplate template = Objects.requireNonNull(templates.get(String.valueOf(one.get("template"))));
            compare(one.get("template") + ", " + name(one), one, () -> template.render(variables), differences);
        }
        assertThat(cases).filteredOn(one -> name(one).startsWith("listed ")).hasSize(34);
        assertThat(cases).filteredOn(one -> name(one).startsWith("random ")).hasSize(3 * 500);
        assertThat(differences).isEmpty();
    }

    @Test
    void rendersEachFeatureAsJinja2Does() throws IOException {
        Map<String, Object> variables = JSON.readValue(read("variables.json"), new TypeReference<>() {});
        List<Map<String, Object>> cases = cases("features.json");
        List<String> differences = new ArrayList<>();
        for (Map<String, Object> one : cases) {
            String template = String.valueOf(one.get("template"));
            compare(template, one, () -> ChatTemplate.parse(template).render(variables), differences);
        }
        assertThat(cases).hasSizeGreaterThan(900);
        assertThat(differences).isEmpty();
    }

    private static String name(Map<String, Object> one) {
        return String.valueOf(one.get("name"));
    }

    private interface Rendering {
        String render();
    }

    private static void compare(String name, Map<String, Object> one, Rendering rendering, List<String> differences) {
        String expected = one.containsKey("error") ? "refused: " + one.get("error") : "output: " + one.get("output");
        String actual;
        try {
            actual = "output: " + rendering.render();
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            boolean hasWords = message.contains(String.valueOf(one.get("error")));
            boolean isPlaced = message.matches("chat template line \\d+, .+: .+");
            actual = one.containsKey("error") && hasWords && isPlaced ? expected : "refused: " + message;
        }
        if (!actual.equals(expected)) {
            differences.add(name + "\n  expected " + expected + "\n  actual   " + actual);
        }
    }

    private static List<Map<String, Object>> cases(String file) throws IOException {
        return JSON.readValue(read(file), new TypeReference<>() {});
    }

    static String read(String file) throws IOException {
        try (InputStream in = GoldenTemplatesTest.class.getResourceAsStream("/golden/chat-template/" + file)) {
            InputStream stored = Objects.requireNonNull(in, file);
            InputStream data = file.endsWith(".gz") ? new GZIPInputStream(stored) : stored;
            return new String(data.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
