package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.JsonStyle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Compiles what requests ask for. Without state, for any thread; the same text compiles to the same grammar or fails everywhere. */
public final class GrammarCompiler {

    private static final String REASONING_START = "<think>";
    private static final String REASONING_END = "</think>";
    private static final String JSON_OBJECT = "{\"type\":\"object\"}";

    private GrammarCompiler() {}

    /** @throws GrammarException in words that name what is wrong and where */
    public static CompiledGrammar compile(GrammarSpec spec) {
        Budget budget = Budget.standard();
        Rules rules = new Rules();
        Expr root = switch (spec.kind()) {
            case REGEX -> RegexExpr.wholeText(spec.text(), rules, budget);
            case JSON_SCHEMA -> schema(rules, budget, spec, spec.text());
            case JSON_OBJECT -> schema(rules, budget, spec, JSON_OBJECT);
            case EBNF -> EbnfParser.parse(spec.text(), rules, budget);
            case CHOICE -> choice(spec.text(), budget);
            case STRUCTURAL_TAG ->
                new StructuralTags(rules, budget, json(rules, budget, spec), spec.isStrict()).write(spec.text());
        };
        return rules.compile(rules.add("root", behindReasoning(root, spec, rules, budget)), budget);
    }

    /** @throws GrammarException if the style's space is no regular expression of JSON's white space */
    public static void check(JsonStyle style) {
        JsonText unused = new JsonText(new Rules(), Budget.standard(), style);
    }

    /** A model that reasons first does so freely, up to the end of its reasoning. */
    private static Expr behindReasoning(Expr root, GrammarSpec spec, Rules rules, Budget budget) {
        if (spec.reasoning() == GrammarSpec.Reasoning.NEVER) {
            return root;
        }
        Dfa reasoning = new FreeText(List.of(REASONING_END), budget).upTo(REASONING_END);
        Expr thought = new Expr.Reference(rules.add("reasoning", new Expr.Automaton(Utf8.encode(reasoning, budget))));
        Expr lead = Expr.sequence(thought, new Expr.Repeat(Expr.text("\n"), 0, 2));
        if (spec.reasoning() == GrammarSpec.Reasoning.IF_TAGGED) {
            lead = Expr.optional(Expr.sequence(Expr.text(REASONING_START), lead));
        }
        return Expr.sequence(lead, root);
    }

    private static JsonText json(Rules rules, Budget budget, GrammarSpec spec) {
        return new JsonText(rules, budget, spec.json());
    }

    private static Expr schema(Rules rules, Budget budget, GrammarSpec spec, String schema) {
        return SchemaCompiler.compile(rules, budget, schema, json(rules, budget, spec), spec.isStrict());
    }

    private static Expr choice(String list, Budget budget) {
        JsonNode options = JsonValues.parse(list, "choice:");
        List<int[]> words = new ArrayList<>();
        for (JsonNode option : options) {
            if (!option.isTextual()
                    || option.textValue().isEmpty()
                    || JsonValues.hasLoneSurrogate(option.textValue())) {
                throw new GrammarException("choice must be a list of non-empty strings, got " + option);
            }
            words.add(Words.letters(option.textValue().getBytes(StandardCharsets.UTF_8)));
        }
        if (!options.isArray() || words.isEmpty()) {
            throw new GrammarException("choice must be a list of strings, at least one");
        }
        return new Expr.Automaton(Words.of(words, budget));
    }
}
