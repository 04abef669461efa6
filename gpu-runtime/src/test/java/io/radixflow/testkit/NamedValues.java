package io.radixflow.testkit;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Options as tests and plain mains are given them: {@code name=value}. */
public final class NamedValues {

    private NamedValues() {}

    /** Empty texts are left out; a value may have further equals signs. */
    public static Map<String, String> of(List<String> texts) {
        Map<String, String> values = new HashMap<>();
        for (String text : texts) {
            if (!text.isEmpty()) {
                int at = text.indexOf('=');
                values.put(text.substring(0, at), text.substring(at + 1));
            }
        }
        return values;
    }

    /** Alike, of texts with a blank between them. */
    public static Map<String, String> of(String texts) {
        return of(List.of(texts.split(" ", -1)));
    }
}
