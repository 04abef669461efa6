package io.radixflow.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the user sets in a model's configuration, {@code --json-model-override-args}: a JSON object merged over config.json. */
final class ModelOverrides {

    private static final String ORIGIN = "--json-model-override-args";
    /** The fields that mean something for a GGUF file, whose configuration isn't JSON. */
    private static final List<String> GGUF_FIELDS =
            List.of(RopeJson.TRAINED_LEN, RopeJson.PARAMETERS, RopeJson.SCALING, RopeJson.BASE);

    private final ConfigJson json;

    private ModelOverrides(ConfigJson json) {
        this.json = json;
    }

    /**
     * @param text null for none
     * @throws io.radixflow.engine.EngineException of category CONFIGURATION if it is no JSON object
     */
    static ModelOverrides parse(@Nullable String text) {
        return new ModelOverrides(text == null ? ConfigJson.empty(ORIGIN) : ConfigJson.parse(text, ORIGIN));
    }

    /** The overrides alone, for a GGUF file; refuses those that mean nothing there. */
    ConfigJson forGguf() {
        for (String field : json.fields()) {
            if (!GGUF_FIELDS.contains(field)) {
                throw json.refusal("has '" + field + "', which means nothing for a GGUF file; it takes "
                        + String.join(", ", GGUF_FIELDS));
            }
        }
        return json;
    }

    /**
     * Merges into a config.json, field by field of the outermost object. The two spellings of rope settings are one field; a base that they
     * leave open stays as it was.
     */
    void mergeInto(ConfigJson config) {
        ObjectNode target = config.node();
        if (json.mentions(RopeJson.PARAMETERS) || json.mentions(RopeJson.SCALING)) {
            float base = RopeJson.base(config, Float.NaN);
            target.remove(List.of(RopeJson.PARAMETERS, RopeJson.SCALING));
            if (!Float.isNaN(base)) {
                target.put(RopeJson.BASE, base);
            }
        } else if (json.has(RopeJson.BASE) && target.get(RopeJson.PARAMETERS) instanceof ObjectNode parameters) {
            parameters.remove(RopeJson.BASE); // the outer one, which is about to be set, counts then
        }
        target.setAll(json.node());
    }
}
