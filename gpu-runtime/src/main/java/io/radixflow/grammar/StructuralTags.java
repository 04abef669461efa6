package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * Structural tags: free text, in which each trigger must go on as one of the tags that begin with it, with JSON of the tag's schema inside [1].
 *
 * <p>[1] The request field {@code structural_tag} of SGLang: {@code structures} of {@code begin}, {@code schema} and {@code end}, and {@code triggers}.
 */
final class StructuralTags {

    private static final int MAX_TAGS = 200;

    private final Rules rules;
    private final Budget budget;
    private final JsonText text;
    private final boolean isClosed;

    StructuralTags(Rules rules, Budget budget, JsonText text, boolean isClosed) {
        this.rules = rules;
        this.budget = budget;
        this.text = text;
        this.isClosed = isClosed;
    }

    /** A tag: its beginning behind the trigger, and all of it. */
    private record Tag(String begin, Expr body) {}

    Expr write(String json) {
        JsonNode document = JsonValues.parse(json, "structural_tag:");
        List<Tag> tags = tags(document);
        List<String> triggers = triggers(document);
        if (triggers.isEmpty()) {
            throw new GrammarException("structural_tag: triggers must be a list of strings, at least one");
        }
        FreeText free = new FreeText(triggers, budget);
        List<Expr> options = new ArrayList<>();
        for (String trigger : triggers) {
            List<Expr> bodies = new ArrayList<>();
            for (Tag tag : tags) {
                if (tag.begin().startsWith(trigger)) {
                    bodies.add(Expr.sequence(Expr.text(tag.begin().substring(trigger.length())), tag.body()));
                }
            }
            if (bodies.isEmpty()) {
                throw new GrammarException("structural_tag: no structure begins with the trigger " + trigger);
            }
            Expr upTo = new Expr.Automaton(Utf8.encode(free.upTo(trigger), budget));
            options.add(Expr.sequence(upTo, new Expr.Choice(bodies)));
        }
        Expr rest = new Expr.Automaton(Utf8.encode(free.without(), budget));
        return Expr.sequence(new Expr.Repeat(new Expr.Choice(options), 0, Expr.UNBOUNDED), rest);
    }

    private List<Tag> tags(JsonNode document) {
        JsonNode structures = document.path("structures");
        if (!structures.isArray() || structures.isEmpty() || structures.size() > MAX_TAGS) {
            throw new GrammarException("structural_tag: structures must be a list of 1 to " + MAX_TAGS + " tags");
        }
        List<Tag> tags = new ArrayList<>();
        for (int i = 0; i < structures.size(); i++) {
            JsonNode tag = structures.get(i);
            String where = "structural_tag: structures[" + i + "]";
            if (!tag.path("begin").isTextual() || !tag.path("end").isTextual()) {
                throw new GrammarException(where + " must have the strings begin and end");
            }
            String schema = tag.has("schema") ? tag.get("schema").toString() : "{}";
            Expr value;
            try {
                value = SchemaCompiler.compile(rules, budget, schema, text, isClosed);
            } catch (GrammarException e) {
                throw new GrammarException(where + ".schema: " + e.getMessage());
            }
            tags.add(new Tag(
                    tag.get("begin").textValue(),
                    Expr.sequence(value, Expr.text(tag.get("end").textValue()))));
        }
        return tags;
    }

    private static List<String> triggers(JsonNode document) {
        List<String> triggers = new ArrayList<>();
        for (JsonNode trigger : document.path("triggers")) {
            if (!trigger.isTextual() || trigger.textValue().isEmpty()) {
                throw new GrammarException("structural_tag: triggers must be a list of strings, at least one");
            }
            triggers.add(trigger.textValue());
        }
        return triggers;
    }
}
