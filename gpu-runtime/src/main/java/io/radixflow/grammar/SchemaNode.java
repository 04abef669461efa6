package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;

/**
 * A schema at its place in the document. Two are equal only if they are the same place.
 *
 * @param base what its references are resolved against
 * @param path JSON pointer from the document's root, for messages
 */
record SchemaNode(int id, JsonNode json, URI base, String path) {

    /** A refusal that names a keyword of this schema. */
    GrammarException refusal(String keyword, String why) {
        return new GrammarException("JSON Schema: " + keyword + " at #" + path + " " + why);
    }

    boolean has(String keyword) {
        return json.has(keyword);
    }

    JsonNode get(String keyword) {
        return json.path(keyword);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SchemaNode node && node.id == id;
    }

    @Override
    public int hashCode() {
        return id;
    }
}
