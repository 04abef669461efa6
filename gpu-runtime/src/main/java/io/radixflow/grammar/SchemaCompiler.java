package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes the rules of a JSON Schema: one rule for each set of claims that a value somewhere in the document must meet.
 *
 * <p>Never wider than the schema, and narrower in spelling only: properties come in the order in which schemas name them and additional
 * ones behind them (unless the style is any order), space between tokens is bounded, numbers with demands have no exponent, listed strings have no needless escapes.
 */
final class SchemaCompiler {

    private final Rules rules;
    private final Budget budget;
    private final SchemaAlgebra algebra;
    private final JsonText text;
    private final ObjectRules objects;
    private final ArrayRules arrays;
    private final Map<List<Claim>, Integer> ruleOf = new HashMap<>();
    private final ArrayDeque<Open> open = new ArrayDeque<>();

    /** A rule that has yet to be written. */
    private record Open(int rule, List<Claim> claims) {}

    private SchemaCompiler(Rules rules, Budget budget, SchemaAlgebra algebra, JsonText text) {
        this.rules = rules;
        this.budget = budget;
        this.algebra = algebra;
        this.text = text;
        objects = new ObjectRules(this, budget);
        arrays = new ArrayRules(this);
    }

    /**
     * The rule of a schema's instances.
     *
     * @param isClosed objects that list properties and don't speak of additional ones have none
     * @throws GrammarException naming keyword and path, if it can't be enforced exactly
     */
    static Expr compile(Rules rules, Budget budget, String schema, JsonText text, boolean isClosed) {
        SchemaDocument document = new SchemaDocument(JsonValues.parse(schema, "JSON Schema:"));
        SchemaAlgebra algebra = new SchemaAlgebra(document, budget, isClosed);
        SchemaCompiler compiler = new SchemaCompiler(rules, budget, algebra, text);
        Claim root = document.root().json().isBoolean()
                ? new Claim(document.always(), document.root().json().booleanValue())
                : new Claim(document.root(), true);
        Expr value = compiler.value(List.of(root));
        compiler.writeAll();
        return value;
    }

    SchemaAlgebra algebra() {
        return algebra;
    }

    JsonText text() {
        return text;
    }

    Rules rules() {
        return rules;
    }

    /** A value that meets the claims; its rule is written later. */
    Expr value(List<Claim> claims) {
        Claim always = new Claim(algebra.document().always(), true);
        List<Claim> real =
                claims.stream().filter(claim -> !claim.equals(always)).toList();
        if (real.isEmpty()) {
            return text.anyValue();
        } else if (real.contains(algebra.document().never())) {
            return new Expr.Choice(List.of());
        }
        Integer known = ruleOf.get(real);
        if (known == null) {
            known = rules.reserve("#" + real.get(0).schema().path());
            ruleOf.put(real, known);
            open.add(new Open(known, real));
        }
        return new Expr.Reference(known);
    }

    private void writeAll() {
        for (Open next = open.poll(); next != null; next = open.poll()) {
            budget.spend(64);
            List<Expr> options = new ArrayList<>();
            for (JsonType type : JsonType.values()) {
                for (Shape shape : algebra.shapes(type, next.claims())) {
                    options.add(write(shape, next.claims().get(0).schema().path()));
                }
            }
            rules.define(next.rule(), new Expr.Choice(options));
        }
    }

    private Expr write(Shape shape, String path) {
        if (shape instanceof Shape.Values listed) {
            return values(listed.values());
        } else if (shape instanceof TextShape textShape) {
            return shape.type() == JsonType.NUMBER ? number(textShape) : string(textShape);
        } else if (shape instanceof ArrayShape array) {
            return arrays.write(array);
        }
        return objects.write((ObjectShape) shape, path);
    }

    private Expr values(List<JsonNode> values) {
        List<int[]> scalars = new ArrayList<>();
        List<Expr> options = new ArrayList<>();
        for (JsonNode value : values) {
            if (value.isTextual() && JsonValues.hasLoneSurrogate(value.textValue())) {
                throw new GrammarException("JSON Schema: enum or const has a lone surrogate, which UTF-8 can't hold");
            }
            Expr spelled = text.spelled(value);
            if (spelled instanceof Expr.Literal literal) {
                scalars.add(Words.letters(literal.bytes()));
            } else {
                options.add(spelled);
            }
        }
        if (!scalars.isEmpty()) {
            options.add(new Expr.Automaton(Words.of(scalars, budget)));
        }
        return options.size() == 1 ? options.get(0) : new Expr.Choice(options);
    }

    private Expr number(TextShape shape) {
        Dfa language = shape.language();
        if (language == null) {
            return text.anyNumber();
        }
        NumberLanguages numbers = algebra.texts().numbers();
        if (language.equals(numbers.integers(true))) {
            return text.anyInteger();
        }
        return new Expr.Automaton(numbers.preferred(language));
    }

    private Expr string(TextShape shape) {
        Dfa language = shape.language();
        if (language == null) {
            return text.stringOfLength(shape.minLen(), shape.maxLen());
        }
        return text.quoted(cut(language, shape.minLen(), shape.maxLen()));
    }

    private Dfa cut(Dfa language, int min, int max) {
        if (min == 0 && max == Expr.UNBOUNDED) {
            return language;
        }
        return DfaOps.intersect(language, text.lengths(min, max), budget);
    }

    /** Texts that meet the claims, as a string's content. */
    Dfa names(List<Claim> claims) {
        Dfa all = null;
        for (Shape shape : algebra.shapes(JsonType.STRING, claims)) {
            Dfa own;
            if (shape instanceof Shape.Values listed) {
                List<int[]> words = new ArrayList<>();
                listed.values().forEach(value -> words.add(Words.codePoints(value.textValue())));
                own = Words.of(words, budget);
            } else {
                TextShape textShape = (TextShape) shape;
                Dfa language = textShape.language() == null ? algebra.texts().anyText() : textShape.language();
                own = cut(language, textShape.minLen(), textShape.maxLen());
            }
            all = all == null ? own : DfaOps.union(all, own, budget);
        }
        return all == null ? Words.of(List.of(), budget) : all;
    }
}
