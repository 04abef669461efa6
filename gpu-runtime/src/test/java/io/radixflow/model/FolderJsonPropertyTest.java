package io.radixflow.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.engine.EngineException;
import io.radixflow.testkit.PropertyEvents;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Whatever stands in a folder's config.json, tokenizer_config.json and generation_config.json: it is read or refused in one line. */
class FolderJsonPropertyTest {

    private static final int EVENTS_OF_A_FOLDER = 100;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String[] SEEDS = {"""
        {"model_type": "qwen3", "vocab_size": 50, "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4, "max_position_embeddings": 40960,
         "rms_norm_eps": 1e-06, "rope_theta": 1000000, "tie_word_embeddings": true, "eos_token_id": [45, 46],
         "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768},
         "torch_dtype": "bfloat16", "hidden_act": "silu", "attention_bias": false}""", """
        {"bos_token": null, "eos_token": {"content": "<|im_end|>", "special": true}, "add_bos_token": false,
         "chat_template": [{"name": "default", "template": "{{ messages }}"}, {"name": "tool_use", "template": "x"}]}""", """
        {"eos_token_id": [45, 3], "bos_token_id": 1, "temperature": 0.6}"""};
    private static final String[] FILES = {"config.json", "tokenizer_config.json", "generation_config.json"};
    private static final String[] VALUES = {
        "null",
        "true",
        "{}",
        "[]",
        "[[]]",
        "[{}]",
        "0",
        "-1",
        "1",
        "7",
        "2147483647",
        "2147483648",
        "9223372036854775808",
        "1e400",
        "1e-400",
        "0.5",
        "\"\"",
        "\"a\\nb\"",
        "\"llama\"",
        "\"dynamic\"",
        "\"llama3\"",
        "\"linear\"",
        "{\"type\":\"yarn\",\"factor\":0}",
        "[1, \"a\"]",
        "[null]",
        "\"\\ud800\"",
        "1e9999999"
    };

    @Property(tries = PropertyEvents.TRIES)
    void isReadOrRefusedInOneLine(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        Path folder = Files.createTempDirectory("radixflow-folder");
        try {
            for (int i = 0; i < PropertyEvents.perTry() / EVENTS_OF_A_FOLDER; i++) {
                for (int file = 0; file < FILES.length; file++) {
                    byte[] bytes = mutated(SEEDS[file], random);
                    Files.write(folder.resolve(FILES[file]), bytes);
                }
                check(folder);
            }
        } finally {
            for (String file : FILES) {
                Files.deleteIfExists(folder.resolve(file));
            }
            Files.delete(folder);
        }
    }

    private static void check(Path folder) {
        refuseInOneLine(() -> HuggingFaceText.read(folder));
        refuseInOneLine(() -> HuggingFaceConfig.read(ConfigJson.read(folder.resolve(FILES[0]))));
    }

    private static void refuseInOneLine(Runnable read) {
        try {
            read.run();
        } catch (EngineException e) {
            assertThat(e.category()).isEqualTo(EngineException.Category.CONFIGURATION);
            assertThat(e.getMessage()).matches("[^\\n]+");
        }
    }

    private static byte[] mutated(String seed, Random random) throws IOException {
        JsonNode root = JSON.readTree(seed);
        for (int i = random.nextInt(4); i > 0; i--) {
            List<JsonNode> containers = new ArrayList<>(List.of(root));
            root.forEach(child -> {
                if (child.isContainerNode()) {
                    containers.add(child);
                }
            });
            mutate(containers.get(random.nextInt(containers.size())), random);
        }
        byte[] bytes = root.toString().getBytes(StandardCharsets.UTF_8);
        if (random.nextInt(4) == 0 && bytes.length > 0) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        return bytes;
    }

    private static void mutate(JsonNode container, Random random) throws IOException {
        JsonNode value = JSON.readTree(VALUES[random.nextInt(VALUES.length)]);
        if (container instanceof ArrayNode array) {
            array.insert(random.nextInt(array.size() + 1), value);
        } else if (container instanceof ObjectNode object && !object.isEmpty()) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            String name = names.get(random.nextInt(names.size()));
            if (random.nextInt(4) == 0) {
                object.remove(name);
            } else {
                object.set(name, value);
            }
        }
    }
}
