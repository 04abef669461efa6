package io.radixflow.engine;

import java.io.Serializable;
import java.util.Map;

/**
 * How the JSON of constrained answers is written where a schema leaves that open.
 *
 * @param spacePattern regular expression of what may stand between tokens
 * @param isAnyOrder properties may come in any order, rather than in that in which the schema names them
 */
public record JsonStyle(String spacePattern, boolean isAnyOrder) implements Serializable {

    /** What an engine without options of its own does. */
    public static final JsonStyle DEFAULT = of(EngineConfig.of(Map.of()));

    public static JsonStyle of(EngineConfig config) {
        return new JsonStyle(
                config.get(EngineOptions.CONSTRAINED_JSON_WHITESPACE_PATTERN),
                config.get(EngineOptions.CONSTRAINED_JSON_PROPERTY_ORDER).equals(EngineOptions.ANY_ORDER));
    }
}
