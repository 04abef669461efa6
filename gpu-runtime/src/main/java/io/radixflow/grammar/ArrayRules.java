package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes arrays: elements by place, numbers of elements, and what must be among them. */
final class ArrayRules {

    private static final int MAX_COUNTED = 500;
    private static final int MAX_ANY_ORDER = 8;

    private final SchemaCompiler compiler;

    ArrayRules(SchemaCompiler compiler) {
        this.compiler = compiler;
    }

    Expr write(ArrayShape shape) {
        Expr elements;
        if (shape.isUnique() && shape.maxItems() > 1) {
            elements = unique(shape);
        } else if (shape.contains().isEmpty()) {
            elements = plain(shape);
        } else {
            elements = containing(shape);
        }
        return Expr.sequence(Expr.text("["), compiler.text().space(), elements, Expr.text("]"));
    }

    private Expr element(List<Claim> claims, boolean isFirst) {
        return written(compiler.value(claims), isFirst);
    }

    private Expr written(Expr value, boolean isFirst) {
        Expr space = compiler.text().space();
        return isFirst ? Expr.sequence(value, space) : Expr.sequence(Expr.text(","), space, value, space);
    }

    /** State i has written i elements; the last ones are a repetition. */
    private Expr plain(ArrayShape shape) {
        int prefixLen = Math.max(1, Math.min(shape.prefixLen(), shape.maxItems()));
        List<Expr.Edge> edges = new ArrayList<>();
        int end = prefixLen + 1;
        for (int i = 0; i < prefixLen; i++) {
            if (i < shape.maxItems()) {
                edges.add(new Expr.Edge(i, i + 1, element(shape.at(i), i == 0)));
            }
            if (i >= shape.minItems()) {
                edges.add(new Expr.Edge(i, end, Expr.EMPTY));
            }
        }
        int most = shape.maxItems() == Expr.UNBOUNDED ? Expr.UNBOUNDED : Math.max(0, shape.maxItems() - prefixLen);
        int least = Math.max(0, shape.minItems() - prefixLen);
        Expr rest = element(shape.at(prefixLen), false);
        edges.add(new Expr.Edge(prefixLen, end, new Expr.Repeat(rest, least, most)));
        return new Expr.Network(end + 1, edges);
    }

    /** State (i, c) has written i elements, of which c were counted for contains; both up to what matters. */
    private Expr containing(ArrayShape shape) {
        if (shape.contains().size() > 1) {
            throw new GrammarException(
                    "JSON Schema: contains for one array more than once, by allOf or the like, is" + " not supported");
        }
        ArrayShape.Contains contains = shape.contains().get(0);
        boolean isExact = contains.max() < Expr.UNBOUNDED;
        int maxCount = isExact ? contains.max() : contains.min();
        int maxIndex = Math.max(1, Math.max(shape.prefixLen(), shape.minItems()));
        if (shape.maxItems() < Expr.UNBOUNDED) {
            maxIndex = Math.max(maxIndex, shape.maxItems());
        }
        if (maxIndex > MAX_COUNTED || maxCount > MAX_COUNTED || (long) maxIndex * maxCount > 10L * MAX_COUNTED) {
            throw new GrammarException("JSON Schema: contains with minItems, maxItems or counts above " + MAX_COUNTED
                    + " is not supported");
        }
        List<Expr.Edge> edges = new ArrayList<>();
        int end = (maxIndex + 1) * (maxCount + 1);
        for (int i = 0; i <= maxIndex; i++) {
            for (int count = 0; count <= maxCount; count++) {
                int from = i * (maxCount + 1) + count;
                int passed = Math.min(i + 1, maxIndex) * (maxCount + 1);
                if (i < shape.maxItems()) {
                    List<Claim> claims = shape.at(i);
                    List<Claim> counted = Claim.both(claims, List.of(contains.claim()));
                    List<Claim> others =
                            Claim.both(claims, List.of(contains.claim().opposite()));
                    if (count < maxCount || !isExact) {
                        int to = passed + Math.min(count + 1, maxCount);
                        edges.add(new Expr.Edge(from, to, element(counted, i == 0)));
                    }
                    edges.add(new Expr.Edge(from, passed + count, element(isExact ? others : claims, i == 0)));
                }
                if (i >= shape.minItems() && count >= contains.min()) {
                    edges.add(new Expr.Edge(from, end, Expr.EMPTY));
                }
            }
        }
        return new Expr.Network(end + 1, edges);
    }

    /** Distinct elements out of a list: in any order if it is short, otherwise in the order of the list. */
    private Expr unique(ArrayShape shape) {
        List<JsonNode> values = listed(shape.at(0));
        if (values == null || shape.prefixLen() > 0 || !shape.contains().isEmpty()) {
            throw new GrammarException(
                    "JSON Schema: uniqueItems at an array can be enforced only where items are listed"
                            + " by enum; leave it out");
        }
        List<Expr> options =
                values.stream().map(value -> compiler.text().spelled(value)).toList();
        return values.size() <= MAX_ANY_ORDER ? anyOrder(shape, options) : listOrder(shape, options);
    }

    private @Nullable List<JsonNode> listed(List<Claim> claims) {
        List<JsonNode> values = new ArrayList<>();
        for (JsonType type : JsonType.values()) {
            for (Shape shape : compiler.algebra().shapes(type, claims)) {
                if (!(shape instanceof Shape.Values list)) {
                    return null;
                }
                for (JsonNode value : list.values()) {
                    if (!JsonValues.contains(values, value)) {
                        values.add(value);
                    }
                }
            }
        }
        return values;
    }

    /** A state for each set of elements written. */
    private Expr anyOrder(ArrayShape shape, List<Expr> options) {
        List<Expr.Edge> edges = new ArrayList<>();
        int end = 1 << options.size();
        for (int written = 0; written < end; written++) {
            int count = Integer.bitCount(written);
            for (int i = 0; i < options.size(); i++) {
                if ((written >> i & 1) == 0 && count < shape.maxItems()) {
                    edges.add(new Expr.Edge(written, written | 1 << i, written(options.get(i), written == 0)));
                }
            }
            if (count >= shape.minItems()) {
                edges.add(new Expr.Edge(written, end, Expr.EMPTY));
            }
        }
        return new Expr.Network(end + 1, edges);
    }

    /** State (i, c) has passed i of the list and written c. */
    private Expr listOrder(ArrayShape shape, List<Expr> options) {
        int maxCount = shape.maxItems() < Expr.UNBOUNDED
                ? Math.min(shape.maxItems(), options.size())
                : Math.max(1, shape.minItems());
        if (shape.minItems() > maxCount || (long) maxCount * options.size() > 10L * MAX_COUNTED) {
            throw new GrammarException("JSON Schema: uniqueItems with too many listed items for minItems and maxItems");
        }
        boolean isExact = shape.maxItems() <= options.size();
        List<Expr.Edge> edges = new ArrayList<>();
        int end = (options.size() + 1) * (maxCount + 1);
        for (int i = 0; i <= options.size(); i++) {
            for (int count = 0; count <= maxCount; count++) {
                int from = i * (maxCount + 1) + count;
                int passed = (i + 1) * (maxCount + 1);
                if (i < options.size()) {
                    edges.add(new Expr.Edge(from, passed + count, Expr.EMPTY));
                    if (count < maxCount || !isExact) {
                        int to = passed + Math.min(count + 1, maxCount);
                        edges.add(new Expr.Edge(from, to, written(options.get(i), count == 0)));
                    }
                } else if (count >= shape.minItems()) {
                    edges.add(new Expr.Edge(from, end, Expr.EMPTY));
                }
            }
        }
        return new Expr.Network(end + 1, edges);
    }
}
