package io.radixflow.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** Golden files of this package; their README says how they were made. */
final class Goldens {

    private Goldens() {}

    static String text(String name) {
        try (InputStream in = Goldens.class.getResourceAsStream("/golden/text/" + name)) {
            if (in == null) {
                throw new IllegalArgumentException("no golden file " + name);
            }
            InputStream data = name.endsWith(".gz") ? new GZIPInputStream(in) : in;
            return new String(data.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode json(String name) {
        try {
            return new ObjectMapper().readTree(text(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<String> strings(JsonNode array) {
        List<String> strings = new ArrayList<>();
        array.forEach(s -> strings.add(s.textValue()));
        return strings;
    }

    static int[] ints(JsonNode array) {
        int[] ints = new int[array.size()];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = array.get(i).intValue();
        }
        return ints;
    }
}
