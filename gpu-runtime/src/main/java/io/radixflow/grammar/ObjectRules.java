package io.radixflow.grammar;

import io.radixflow.grammar.ObjectMembers.Member;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Writes objects: the named properties in their order, then the others; or all in {@link AnyOrder}. */
final class ObjectRules {

    private static final int MAX_PATTERNS = 6;
    private static final int MAX_NETWORK = 20_000;

    private final SchemaCompiler compiler;
    private final Budget budget;

    ObjectRules(SchemaCompiler compiler, Budget budget) {
        this.compiler = compiler;
        this.budget = budget;
    }

    /** The objects of a shape, which a schema at {@code path} asks for. */
    Expr write(ObjectShape shape, String path) {
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
        ObjectMembers object =
                new ObjectMembers(members, others(shape), shape.minProperties(), shape.maxProperties(), path);
        if (object.min() > 1 && object.other() != null && members.size() < object.min()) {
            throw new GrammarException("JSON Schema: minProperties of " + object.min()
                    + " needs properties that the schema" + " doesn't name, whose names might repeat; name them");
        }
        Expr network = compiler.text().isAnyOrder()
                ? new AnyOrder(compiler.rules(), compiler.text().comma()).write(object)
                : new Network(object).write();
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

        private final ObjectMembers object;
        private final List<Member> members;
        private final int maxCount;
        private final List<Expr.Edge> edges = new ArrayList<>();

        Network(ObjectMembers object) {
            this.object = object;
            members = object.named();
            boolean isCounted = object.min() > 1 || object.max() < Expr.UNBOUNDED;
            maxCount = isCounted ? Math.max(1, members.size()) : 1;
        }

        Expr write() {
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
            if (expr != null && count < object.max()) {
                Expr label = count == 0 ? expr : Expr.sequence(compiler.text().comma(), expr);
                edges.add(new Expr.Edge(state(i, count), state(i + 1, Math.min(count + 1, maxCount)), label));
            }
            if (!member.isRequired()) {
                edges.add(new Expr.Edge(state(i, count), state(i + 1, count), Expr.EMPTY));
            }
        }

        private void addOthers(int count, int end) {
            int from = state(members.size(), count);
            int most = object.max() == Expr.UNBOUNDED ? Expr.UNBOUNDED : object.max() - count;
            boolean isEnough = count >= object.min();
            if (isEnough) {
                edges.add(new Expr.Edge(from, end, Expr.EMPTY));
            }
            Expr other = object.other();
            if (other == null || most < 1 || (!isEnough && object.min() > count + 1)) {
                return;
            }
            Expr more = new Expr.Repeat(
                    Expr.sequence(compiler.text().comma(), other), 0, most == Expr.UNBOUNDED ? most : most - 1);
            Expr first = count == 0 ? other : Expr.sequence(compiler.text().comma(), other);
            edges.add(new Expr.Edge(from, end, Expr.sequence(first, more)));
        }
    }
}
