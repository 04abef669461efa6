package io.radixflow.grammar;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Demands of an object.
 *
 * @param groups demands of properties by their names
 * @param required names that must be there
 * @param nameClaims what each name must meet
 * @param minProperties fewest properties
 */
record ObjectShape(
        List<Group> groups, Set<String> required, List<Claim> nameClaims, int minProperties, int maxProperties)
        implements Shape {

    static final ObjectShape ANY = new ObjectShape(List.of(), Set.of(), List.of(), 0, Expr.UNBOUNDED);

    /**
     * Properties of one schema: those named, those whose names match a pattern, and the others.
     *
     * @param additional what the others must meet
     */
    record Group(Map<String, Claim> properties, List<Pattern> patterns, List<Claim> additional) {

        List<Claim> at(String name) {
            List<Claim> claims = new ArrayList<>();
            Claim own = properties.get(name);
            if (own != null) {
                claims.add(own);
            }
            for (Pattern pattern : patterns) {
                if (pattern.names().accepts(name)) {
                    claims.add(pattern.claim());
                }
            }
            return own == null && claims.isEmpty() ? additional : claims;
        }
    }

    /** Properties whose names match meet the claim. */
    record Pattern(Dfa names, Claim claim) {}

    static ObjectShape of(Group group, Set<String> required) {
        return new ObjectShape(List.of(group), required, List.of(), 0, Expr.UNBOUNDED);
    }

    /** One property meets the claim if it is there. */
    static ObjectShape property(String name, Claim claim, Set<String> required) {
        return of(new Group(Map.of(name, claim), List.of(), List.of()), required);
    }

    static ObjectShape requiring(Set<String> names) {
        return new ObjectShape(List.of(), names, List.of(), 0, Expr.UNBOUNDED);
    }

    static ObjectShape size(int min, int max) {
        return new ObjectShape(List.of(), Set.of(), List.of(), min, max);
    }

    @Override
    public JsonType type() {
        return JsonType.OBJECT;
    }

    @Override
    public @Nullable Shape and(Shape other, Budget budget) {
        ObjectShape object = (ObjectShape) other;
        int min = Math.max(minProperties, object.minProperties);
        int max = Math.min(maxProperties, object.maxProperties);
        if (min > max) {
            return null;
        }
        List<Group> allGroups = new ArrayList<>(groups);
        allGroups.addAll(object.groups);
        Set<String> allRequired = new LinkedHashSet<>(required);
        allRequired.addAll(object.required);
        return new ObjectShape(allGroups, allRequired, Claim.both(nameClaims, object.nameClaims), min, max);
    }

    /** What the property of this name must meet, if it is there. */
    List<Claim> at(String name) {
        List<Claim> claims = new ArrayList<>();
        groups.forEach(group -> claims.addAll(group.at(name)));
        return Claim.all(claims);
    }

    /** Names that schemas speak of, in their order. */
    Set<String> names() {
        Set<String> names = new LinkedHashSet<>();
        groups.forEach(group -> names.addAll(group.properties().keySet()));
        names.addAll(required);
        return names;
    }
}
