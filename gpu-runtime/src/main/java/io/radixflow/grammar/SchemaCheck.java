package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.math.BigDecimal;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Whether given values meet claims. Shapes of listed values and names of properties are decided by it. */
final class SchemaCheck {

    private static final int MAX_DEPTH = 300;

    private final SchemaAlgebra algebra;
    private final Budget budget;
    private int depth;

    SchemaCheck(SchemaAlgebra algebra, Budget budget) {
        this.algebra = algebra;
        this.budget = budget;
    }

    /** Whether a property of this name meets claims of names. */
    boolean meets(String name, List<Claim> claims) {
        return claims.stream().allMatch(claim -> meets(TextNode.valueOf(name), claim));
    }

    boolean meets(JsonNode value, Claim claim) {
        return isValid(value, claim.schema()) == claim.isHeld();
    }

    /**
     * Scalars by the shapes' own automata, so that there is one meaning of each keyword; arrays and objects by going into them.
     */
    private boolean isValid(JsonNode value, SchemaNode schema) {
        if (schema.json().isBoolean()) {
            return schema.json().booleanValue();
        }
        budget.spend(4);
        if (++depth > MAX_DEPTH) {
            throw schema.refusal("schema", "is nested deeper than " + MAX_DEPTH);
        }
        List<Shape> shapes = algebra.turnInside(JsonType.of(value), new Claim(schema, true));
        boolean isValid = false;
        for (Shape shape : shapes) {
            isValid = isValid || fits(value, shape);
        }
        depth--;
        return isValid;
    }

    boolean fits(JsonNode value, Shape shape) {
        budget.spend(4);
        if (shape instanceof Shape.Values listed) {
            return JsonValues.contains(listed.values(), value);
        } else if (shape instanceof TextShape text) {
            return fitsText(value, text);
        } else if (shape instanceof ArrayShape array) {
            return fitsArray(value, array);
        }
        return fitsObject(value, (ObjectShape) shape);
    }

    private static boolean fitsText(JsonNode value, TextShape shape) {
        String text = value.isTextual() ? value.textValue() : numeral(JsonValues.number(value));
        int len = text.codePointCount(0, text.length());
        Dfa language = shape.language();
        boolean isOfLength = value.isNumber() || (len >= shape.minLen() && len <= shape.maxLen());
        return isOfLength && (language == null || language.accepts(text));
    }

    private static String numeral(BigDecimal number) {
        return number.toPlainString();
    }

    private boolean fitsArray(JsonNode value, ArrayShape shape) {
        if (value.size() < shape.minItems() || value.size() > shape.maxItems()) {
            return false;
        }
        for (int i = 0; i < value.size(); i++) {
            for (Claim claim : shape.at(i)) {
                if (!meets(value.get(i), claim)) {
                    return false;
                }
            }
        }
        for (ArrayShape.Contains contains : shape.contains()) {
            int count = 0;
            for (JsonNode item : value) {
                count += meets(item, contains.claim()) ? 1 : 0;
            }
            if (count < contains.min() || count > contains.max()) {
                return false;
            }
        }
        return !shape.isUnique() || isUnique(value);
    }

    private boolean isUnique(JsonNode value) {
        budget.spend((long) value.size() * value.size());
        for (int i = 0; i < value.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (JsonValues.areEqual(value.get(i), value.get(j))) {
                    return false;
                }
            }
        }
        return true;
    }

    private boolean fitsObject(JsonNode value, ObjectShape shape) {
        if (value.size() < shape.minProperties() || value.size() > shape.maxProperties()) {
            return false;
        }
        for (String name : shape.required()) {
            if (!value.has(name)) {
                return false;
            }
        }
        for (Iterator<Map.Entry<String, JsonNode>> fields = value.fields(); fields.hasNext(); ) {
            Map.Entry<String, JsonNode> field = fields.next();
            if (!meets(field.getKey(), shape.nameClaims())) {
                return false;
            }
            for (Claim claim : shape.at(field.getKey())) {
                if (!meets(field.getValue(), claim)) {
                    return false;
                }
            }
        }
        return true;
    }
}
