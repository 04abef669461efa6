package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One JSON Schema document: its schemas, found by place, by {@code $id} and by anchor. Nothing outside of it is ever fetched. */
final class SchemaDocument {

    private static final Set<String> HOLD_SCHEMA = Set.of(
            "additionalItems",
            "additionalProperties",
            "contains",
            "else",
            "if",
            "items",
            "not",
            "propertyNames",
            "then",
            "unevaluatedItems",
            "unevaluatedProperties");
    private static final Set<String> HOLD_LIST = Set.of("allOf", "anyOf", "items", "oneOf", "prefixItems");
    private static final Set<String> HOLD_MAP =
            Set.of("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties");
    private static final URI NO_BASE = URI.create("");

    private final IdentityHashMap<JsonNode, SchemaNode> nodes = new IdentityHashMap<>();
    private final Map<String, SchemaNode> named = new HashMap<>(); // by URI, with the anchor behind #
    private final SchemaNode always;
    private final SchemaNode root;
    private int numNodes;

    /** Whether siblings of {@code $ref} count, as they do since 2019-09. */
    private final boolean refHasSiblings;

    /** @throws GrammarException if an id is not a URI, or a schema is neither an object nor a boolean */
    SchemaDocument(JsonNode document) {
        always = new SchemaNode(numNodes++, BooleanNode.TRUE, NO_BASE, "");
        String dialect = document.path("$schema").asText("");
        refHasSiblings = !dialect.contains("draft-0");
        root = walk(document, NO_BASE, "");
        named.putIfAbsent("", root);
    }

    SchemaNode root() {
        return root;
    }

    /** Of an earlier dialect, where {@code $ref} stands alone. */
    boolean hidesSiblings(SchemaNode schema) {
        return !refHasSiblings && schema.has("$ref");
    }

    /** Valid for everything. */
    SchemaNode always() {
        return always;
    }

    Claim never() {
        return new Claim(always, false);
    }

    /** The schema under a keyword, or further down in its list or object. */
    SchemaNode child(SchemaNode parent, JsonNode json, String path) {
        SchemaNode known = nodes.get(json);
        return known != null && !json.isBoolean() ? known : register(json, parent.base(), parent.path() + path);
    }

    private SchemaNode register(JsonNode json, URI base, String path) {
        if (!json.isObject() && !json.isBoolean()) {
            throw new GrammarException("JSON Schema: #" + path + " must be an object or a boolean");
        }
        SchemaNode node = new SchemaNode(numNodes++, json, base, path);
        if (json.isObject()) {
            nodes.put(json, node);
        }
        return node;
    }

    private SchemaNode walk(JsonNode json, URI outer, String path) {
        URI base = outer;
        String id = json.path("$id").isTextual()
                ? json.path("$id").textValue()
                : json.path("id").asText("");
        boolean isHidden = !refHasSiblings && json.has("$ref");
        if (!id.isEmpty()
                && !isHidden
                && (json.path("$id").isTextual() || json.path("id").isTextual())) {
            URI full = resolve(outer, id, path);
            if (!id.startsWith("#")) {
                base = withoutFragment(full, path);
            }
        }
        SchemaNode node = register(json, base, path);
        if (!base.equals(outer)) {
            named.putIfAbsent(base.toString(), node);
        } else if (id.startsWith("#") && id.length() > 1) {
            named.putIfAbsent(base + id, node); // an anchor of draft 7
        }
        for (String keyword : List.of("$anchor", "$dynamicAnchor")) {
            if (json.path(keyword).isTextual()) {
                named.putIfAbsent(base + "#" + json.path(keyword).textValue(), node);
            }
        }
        json.fields().forEachRemaining(field -> walkKeyword(field, node));
        return node;
    }

    private void walkKeyword(Map.Entry<String, JsonNode> field, SchemaNode node) {
        String keyword = field.getKey();
        JsonNode value = field.getValue();
        String path = node.path() + "/" + keyword;
        if (HOLD_SCHEMA.contains(keyword) && value.isObject()) {
            walk(value, node.base(), path);
        } else if (HOLD_LIST.contains(keyword) && value.isArray()) {
            for (int i = 0; i < value.size(); i++) {
                if (value.get(i).isObject()) {
                    walk(value.get(i), node.base(), path + "/" + i);
                }
            }
        } else if (HOLD_MAP.contains(keyword) && value.isObject()) {
            value.fields().forEachRemaining(entry -> {
                if (entry.getValue().isObject()) {
                    walk(entry.getValue(), node.base(), path + "/" + escaped(entry.getKey()));
                }
            });
        }
    }

    static String escaped(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }

    private static URI resolve(URI base, String reference, String path) {
        try {
            if (base.getScheme() != null && base.isOpaque()) {
                URI own = new URI(reference);
                return own.isAbsolute() || !reference.startsWith("#") ? own : new URI(base + reference);
            }
            return base.toString().isEmpty() ? new URI(reference) : base.resolve(reference);
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new GrammarException("JSON Schema: #" + path + " has a reference that is no URI: " + reference);
        }
    }

    private static URI withoutFragment(URI uri, String path) {
        String text = uri.toString();
        int hash = text.indexOf('#');
        return resolve(NO_BASE, hash < 0 ? text : text.substring(0, hash), path);
    }

    /** What {@code $ref} points to. */
    SchemaNode target(SchemaNode from, String reference) {
        URI full =
                reference.startsWith("#") || reference.isEmpty() ? null : resolve(from.base(), reference, from.path());
        String text = full == null ? from.base() + reference : full.toString();
        int hash = text.indexOf('#');
        String document = hash < 0 ? text : text.substring(0, hash);
        String fragment = hash < 0 ? "" : text.substring(hash + 1);
        SchemaNode resource = document.isEmpty() ? root : named.get(document);
        if (fragment.isEmpty() && resource != null) {
            return resource;
        } else if (fragment.startsWith("/") && resource != null) {
            SchemaNode found = byPointer(resource, fragment);
            if (found != null) {
                return found;
            }
        } else {
            SchemaNode found = named.get(document + "#" + fragment);
            if (found != null) {
                return found;
            }
        }
        throw from.refusal("$ref", "names " + reference + ", which is not in the document");
    }

    private @Nullable SchemaNode byPointer(SchemaNode resource, String fragment) {
        JsonNode json = resource.json();
        SchemaNode owner = resource;
        List<String> passed = new ArrayList<>();
        for (String part : fragment.substring(1).split("/", -1)) {
            String name = decode(part).replace("~1", "/").replace("~0", "~");
            json = json.isArray() && name.matches("\\d{1,6}") ? json.path(Integer.parseInt(name)) : json.path(name);
            passed.add(name);
            SchemaNode known = nodes.get(json);
            owner = known == null ? owner : known;
        }
        if (json.isMissingNode()) {
            return null;
        }
        SchemaNode found = nodes.get(json);
        return found != null ? found : child(owner, json, "/" + String.join("/", passed));
    }

    private static String decode(String part) {
        try {
            return URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return part;
        }
    }
}
