package io.radixflow.grammar;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Writes objects: the named properties in their order, then the others. */
final class ObjectRules {

    private static final int MAX_PATTERNS = 6;
    private static final int MAX_NETWORK = 20_000;

    private final SchemaCompiler compiler;
    private final Budget budget;

    ObjectRules(SchemaCompiler compiler, Budget budget) {
        this.compiler = compiler;
        this.budget = budget;
    }

    /** A named property: its name with the value, or null if it must be absent. */
    private record Member(@Nullable Expr expr, boolean isRequired) {}

    Expr write(ObjectShape shape) {
        Expr space = compiler.text().space();
        List<Member> members = new ArrayList<>();
        SchemaCheck check = new SchemaCheck(compiler.algebra(), budget);
        for (String name : shape.names()) {
            List<Claim> claims = shape.at(name);
            boolean isAbsent = claims.contains(compiler.algebra().document().never())
                    || JsonValues.hasLoneSurrogate(name)
                    || !check.meets(name, shape.nameClaims());
            Expr member = isAbsent ? null : member(Expr.text(JsonValues.quoted(name)), claims);
            members.add(new Member(member, shape.required().contains(name)));
        }
        Expr network = new Network(shape, members, others(shape)).write();
        return Expr.sequence(Expr.text("{"), space, network, Expr.text("}"));
    }

    private Expr member(Expr name, List<Claim> claims) {
        Expr space = compiler.text().space();
        return Expr.sequence(name, space, Expr.text(":"), space, compiler.value(claims), space);
    }

    /** A property that no schema names, or null if there can be none. */
    private @Nullable Expr others(ObjectShape shape) {
        Set<Dfa> patterns = new LinkedHashSet<>();
        shape.groups().forEach(group -> group.patterns().forEach(pattern -> patterns.add(pattern.names())));
        if (patterns.size() > MAX_PATTERNS) {
            throw new GrammarException(
                    "JSON Schema: patternProperties with more than " + MAX_PATTERNS + " patterns for one object");
        }
        List<Dfa> each = List.copyOf(patterns);
        Dfa unnamed = unnamed(shape);
        List<Expr> options = new ArrayList<>();
        for (int matching = 0; matching < 1 << each.size(); matching++) {
            Dfa names = unnamed;
            for (int i = 0; i < each.size(); i++) {
                boolean isMatch = (matching >> i & 1) == 1;
                names = isMatch
                        ? DfaOps.intersect(names, each.get(i), budget)
                        : DfaOps.minus(names, each.get(i), budget);
            }
            List<Claim> claims = claims(shape, each, matching);
            if (!names.isEmpty()
                    && !claims.contains(compiler.algebra().document().never())) {
                boolean isAny = names.equals(compiler.algebra().texts().anyText());
                options.add(member(
                        isAny ? compiler.text().anyString() : compiler.text().quoted(names), claims));
            }
        }
        return options.isEmpty() ? null : new Expr.Choice(options);
    }

    private Dfa unnamed(ObjectShape shape) {
        List<int[]> named = new ArrayList<>();
        shape.names().forEach(name -> named.add(Words.codePoints(name)));
        Dfa names = compiler.algebra().texts().anyText();
        if (!shape.nameClaims().isEmpty()) {
            names = compiler.names(shape.nameClaims());
        }
        return named.isEmpty() ? names : DfaOps.minus(names, Words.of(named, budget), budget);
    }

    private static List<Claim> claims(ObjectShape shape, List<Dfa> patterns, int matching) {
        List<Claim> claims = new ArrayList<>();
        for (ObjectShape.Group group : shape.groups()) {
            boolean isMatched = false;
            for (ObjectShape.Pattern pattern : group.patterns()) {
                if ((matching >> patterns.indexOf(pattern.names()) & 1) == 1) {
                    isMatched = true;
                    claims.add(pattern.claim());
                }
            }
            if (!isMatched) {
                claims.addAll(group.additional());
            }
        }
        return Claim.all(claims);
    }

    /**
     * The members as a network: state (i, c) has passed the first i named properties and written c of them, counted up to what the
     * demands need to know.
     */
    private final class Network {

        private final ObjectShape shape;
        private final List<Member> members;
        private final @Nullable Expr other;
        private final int maxCount;
        private final List<Expr.Edge> edges = new ArrayList<>();
        private final Expr separator;

        Network(ObjectShape shape, List<Member> members, @Nullable Expr other) {
            this.shape = shape;
            this.members = members;
            this.other = other;
            boolean isCounted = shape.minProperties() > 1 || shape.maxProperties() < Expr.UNBOUNDED;
            maxCount = isCounted ? Math.max(1, members.size()) : 1;
            separator = Expr.sequence(Expr.text(","), compiler.text().space());
        }

        Expr write() {
            int min = shape.minProperties();
            if (min > 1 && other != null && members.size() < min) {
                throw new GrammarException("JSON Schema: minProperties of " + min + " needs properties that the schema"
                        + " doesn't name, whose names might repeat; name them");
            }
            if ((members.size() + 1L) * (maxCount + 1) > MAX_NETWORK) {
                throw new GrammarException("JSON Schema: minProperties or maxProperties of an object with "
                        + members.size() + " properties is too large");
            }
            for (int i = 0; i < members.size(); i++) {
                for (int count = 0; count <= Math.min(i, maxCount); count++) {
                    addMember(i, count);
                }
            }
            int end = state(members.size() + 1, 0);
            for (int count = 0; count <= Math.min(members.size(), maxCount); count++) {
                addOthers(count, end);
            }
            return new Expr.Network(end + 1, edges);
        }

        private int state(int passed, int count) {
            return passed * (maxCount + 1) + count;
        }

        private void addMember(int i, int count) {
            Member member = members.get(i);
            Expr expr = member.expr();
            if (expr != null && count < shape.maxProperties()) {
                Expr label = count == 0 ? expr : Expr.sequence(separator, expr);
                edges.add(new Expr.Edge(state(i, count), state(i + 1, Math.min(count + 1, maxCount)), label));
            }
            if (!member.isRequired()) {
                edges.add(new Expr.Edge(state(i, count), state(i + 1, count), Expr.EMPTY));
            }
        }

        private void addOthers(int count, int end) {
            int from = state(members.size(), count);
            int most = shape.maxProperties() == Expr.UNBOUNDED ? Expr.UNBOUNDED : shape.maxProperties() - count;
            boolean isEnough = count >= shape.minProperties();
            if (isEnough) {
                edges.add(new Expr.Edge(from, end, Expr.EMPTY));
            }
            if (other == null || most < 1 || (!isEnough && shape.minProperties() > count + 1)) {
                return;
            }
            Expr more = new Expr.Repeat(Expr.sequence(separator, other), 0, most == Expr.UNBOUNDED ? most : most - 1);
            Expr first = count == 0 ? other : Expr.sequence(separator, other);
            edges.add(new Expr.Edge(from, end, Expr.sequence(first, more)));
        }
    }
}
