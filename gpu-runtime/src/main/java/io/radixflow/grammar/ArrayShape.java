package io.radixflow.grammar;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Demands of an array.
 *
 * @param groups demands of elements by their place
 * @param contains how many elements must meet something
 * @param minItems fewest elements
 * @param isUnique whether no two elements are equal
 */
record ArrayShape(List<Group> groups, List<Contains> contains, int minItems, int maxItems, boolean isUnique)
        implements Shape {

    static final ArrayShape ANY = new ArrayShape(List.of(), List.of(), 0, Expr.UNBOUNDED, false);

    /** Demands of the first elements, one by one, and of the rest. */
    record Group(List<List<Claim>> prefix, List<Claim> rest) {

        List<Claim> at(int index) {
            return index < prefix.size() ? prefix.get(index) : rest;
        }
    }

    /** {@code min} to {@code max} elements meet the claim. */
    record Contains(Claim claim, int min, int max) {}

    static ArrayShape of(Group group) {
        return new ArrayShape(List.of(group), List.of(), 0, Expr.UNBOUNDED, false);
    }

    static ArrayShape length(int min, int max) {
        return new ArrayShape(List.of(), List.of(), min, max, false);
    }

    @Override
    public JsonType type() {
        return JsonType.ARRAY;
    }

    @Override
    public @Nullable Shape and(Shape other, Budget budget) {
        ArrayShape array = (ArrayShape) other;
        int min = Math.max(minItems, array.minItems);
        int max = Math.min(maxItems, array.maxItems);
        if (min > max) {
            return null;
        }
        return new ArrayShape(
                joined(groups, array.groups), joined(contains, array.contains), min, max, isUnique || array.isUnique);
    }

    private static <T> List<T> joined(List<T> left, List<T> right) {
        List<T> all = new ArrayList<>(left);
        for (T one : right) {
            if (!all.contains(one)) {
                all.add(one);
            }
        }
        return all;
    }

    /** What the element at {@code index} must meet. */
    List<Claim> at(int index) {
        List<Claim> claims = new ArrayList<>();
        groups.forEach(group -> claims.addAll(group.at(index)));
        return Claim.all(claims);
    }

    /** Elements from this place on have the same demands. */
    int prefixLen() {
        return groups.stream().mapToInt(group -> group.prefix().size()).max().orElse(0);
    }
}
