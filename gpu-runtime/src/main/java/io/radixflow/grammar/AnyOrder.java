package io.radixflow.grammar;

import io.radixflow.grammar.ObjectMembers.Member;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes the properties of an object in any order, each named one at most once: a state for each set of them that is written, so their number is
 * limited. Properties that no schema names may stand anywhere between them and are counted up to what the demands need to know.
 */
final class AnyOrder {

    /** Most named properties. */
    static final int MAX_NAMED = 12;

    private static final int MAX_STATES = 20_000;

    private final Rules rules;
    private final Expr comma;
    private final List<Expr.Edge> edges = new ArrayList<>();
    private int maxOthers;

    AnyOrder(Rules rules, Expr comma) {
        this.rules = rules;
        this.comma = comma;
    }

    /** @throws GrammarException if there are too many */
    Expr write(ObjectMembers object) {
        List<Expr> named = new ArrayList<>();
        int required = 0;
        for (Member member : object.named()) {
            if (member.expr() != null) {
                required |= member.isRequired() ? 1 << Math.min(named.size(), MAX_NAMED) : 0;
                named.add(call(member.expr()));
            } else if (member.isRequired()) {
                return new Expr.Choice(List.of());
            }
        }
        if (named.size() > MAX_NAMED) {
            throw new GrammarException("JSON Schema: properties at #" + object.path() + " has " + named.size()
                    + " names, any order is for at most " + MAX_NAMED
                    + "; take the declared order (--constrained-json-property-order)");
        }
        boolean isLimited = object.max() < Expr.UNBOUNDED;
        maxOthers = object.other() == null ? 0 : isLimited ? object.max() : 1;
        if (maxOthers >= MAX_STATES >> named.size()) {
            throw new GrammarException(
                    "JSON Schema: maxProperties at #" + object.path() + " is too large for any order of " + named.size()
                            + " named properties and others; take the declared order");
        }
        Expr other = object.other() == null ? null : call(object.other());
        int end = 2 * (1 << named.size()) * (maxOthers + 1);
        for (int written = 0; written < 1 << named.size(); written++) {
            for (int others = 0; others <= maxOthers; others++) {
                int count = Integer.bitCount(written) + others;
                int from = state(written, others);
                int distinct = Integer.bitCount(written) + Math.min(others, 1); // the names of others may repeat
                if ((written & required) == required && distinct >= object.min() && count <= object.max()) {
                    edges.add(new Expr.Edge(from, end, Expr.EMPTY));
                }
                if (count >= object.max()) {
                    continue;
                }
                int next = from + 1; // behind the comma
                edges.add(new Expr.Edge(from, next, count == 0 ? Expr.EMPTY : comma));
                for (int i = 0; i < named.size(); i++) {
                    if ((written >> i & 1) == 0) {
                        edges.add(new Expr.Edge(next, state(written | 1 << i, others), named.get(i)));
                    }
                }
                if (other != null && (others < maxOthers || !isLimited)) {
                    edges.add(new Expr.Edge(next, state(written, Math.min(others + 1, maxOthers)), other));
                }
            }
        }
        return new Expr.Network(end + 1, edges);
    }

    private int state(int written, int others) {
        return 2 * (written * (maxOthers + 1) + others);
    }

    /** A rule of its own, since many edges have it. */
    private Expr call(Expr member) {
        return new Expr.Reference(rules.add("member", member));
    }
}
