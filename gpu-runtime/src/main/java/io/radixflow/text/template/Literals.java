package io.radixflow.text.template;

import java.util.ArrayList;
import java.util.List;

/** Expressions that stand for themselves. */
final class Literals {

    private Literals() {}

    /** A string, number, boolean or none. */
    record Constant(int line, Object value) implements Expression {
        @Override
        public String construct() {
            return "literal";
        }

        @Override
        public Object evaluate(Context context) {
            return value;
        }
    }

    /** A variable or global. */
    record Name(int line, String name) implements Expression {
        @Override
        public String construct() {
            return "name '" + name + "'";
        }

        @Override
        public Object evaluate(Context context) {
            Object value = context.scope.find(name);
            if (value == null) {
                value = Globals.find(name);
            }
            return value == null ? Undefined.name(name) : value;
        }
    }

    /** {@code [a, b]}. */
    record ListLiteral(int line, List<Expression> items) implements Expression {
        @Override
        public String construct() {
            return "list";
        }

        @Override
        public Object evaluate(Context context) {
            return values(items, context);
        }
    }

    /** {@code a, b}. */
    record TupleLiteral(int line, List<Expression> items) implements Expression {
        @Override
        public String construct() {
            return "tuple";
        }

        @Override
        public Object evaluate(Context context) {
            return new Tuple(values(items, context));
        }
    }

    /** <code>{a: b}</code>; the lists are parallel. */
    record DictLiteral(int line, List<Expression> keys, List<Expression> values) implements Expression {
        @Override
        public String construct() {
            return "dict";
        }

        @Override
        public Object evaluate(Context context) {
            Dict dict = new Dict();
            for (int i = 0; i < keys.size(); i++) {
                dict.put(context.value(keys.get(i)), context.value(values.get(i)), context.work);
            }
            return dict;
        }
    }

    private static List<Object> values(List<Expression> expressions, Context context) {
        List<Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(context.value(expression));
        }
        return values;
    }
}
