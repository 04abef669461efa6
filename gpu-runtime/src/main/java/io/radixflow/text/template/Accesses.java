package io.radixflow.text.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Expressions that take something from a value: attributes, items, slices, calls, filters, tests. */
final class Accesses {

    private Accesses() {}

    /** {@code x.name}. */
    record Attribute(int line, Expression owner, String name) implements Expression {
        @Override
        public String construct() {
            return "attribute '" + name + "'";
        }

        @Override
        public Object evaluate(Context context) {
            return Members.attribute(context.value(owner), name);
        }
    }

    /** {@code x[key]}. */
    record Item(int line, Expression owner, Expression key) implements Expression {
        @Override
        public String construct() {
            return "item access";
        }

        @Override
        public Object evaluate(Context context) {
            return Members.item(context.value(owner), context.value(key), context.work);
        }
    }

    /** {@code x[start:stop:step]}. */
    record Slice(
            int line,
            Expression owner,
            @Nullable Expression start,
            @Nullable Expression stop,
            @Nullable Expression step)
            implements Expression {
        @Override
        public String construct() {
            return "slice";
        }

        @Override
        public Object evaluate(Context context) {
            Object sliced = context.value(owner);
            return Slices.slice(
                    sliced, bound(start, context), bound(stop, context), bound(step, context), context.work);
        }

        private static @Nullable Long bound(@Nullable Expression expression, Context context) {
            Object value = expression == null ? None.NONE : context.value(expression);
            return value == None.NONE ? null : (Long) Types.integer(value, "slice index");
        }
    }

    /** The arguments of a call as written; the starred ones are null if absent. */
    record ArgumentList(
            List<Expression> positional,
            Map<String, Expression> named,
            @Nullable Expression starred,
            @Nullable Expression doubleStarred) {

        static final ArgumentList NONE = new ArgumentList(List.of(), Map.of(), null, null);

        Arguments evaluate(Context context) {
            if (positional.isEmpty() && named.isEmpty() && starred == null && doubleStarred == null) {
                return Arguments.NONE;
            }
            List<Object> values = new ArrayList<>(positional.size());
            for (Expression expression : positional) {
                values.add(context.value(expression));
            }
            if (starred != null) {
                values.addAll(Types.items(context.value(starred), context.work));
            }
            Map<String, Object> namedValues = new LinkedHashMap<>();
            named.forEach((name, expression) -> namedValues.put(name, context.value(expression)));
            if (doubleStarred != null) {
                if (!(context.value(doubleStarred) instanceof Dict dict)) {
                    throw new Fault("'**' needs a dict");
                }
                for (Dict.Entry entry : dict.entries()) {
                    context.work.charge(Work.ITEM);
                    if (namedValues.put(Types.text(entry.key(), "argument name"), entry.value()) != null) {
                        throw new Fault("got two values for '" + entry.key() + "'");
                    }
                }
            }
            return new Arguments(values, namedValues);
        }
    }

    /** {@code f(..)}. */
    record Call(int line, Expression callee, ArgumentList arguments) implements Expression {
        @Override
        public String construct() {
            return callee instanceof Literals.Name name
                    ? "call of '" + name.name() + "'"
                    : callee instanceof Attribute attribute ? "call of '" + attribute.name() + "'" : "call";
        }

        @Override
        public Object evaluate(Context context) {
            return call(context, arguments.evaluate(context));
        }

        Object call(Context context, Arguments values) {
            Object function = context.value(callee);
            if (function instanceof Callable callable) {
                return callable.call(context, values);
            } else if (function instanceof Undefined missing) {
                throw missing.fault();
            }
            throw new Fault("a value of type '" + Types.name(function) + "' can't be called");
        }
    }

    /** A filter and its arguments, applied in an expression or to a block. */
    record FilterUse(int line, String name, ArgumentList arguments) implements Node {
        @Override
        public String construct() {
            return "filter '" + name + "'";
        }

        Object apply(Context context, Object value) {
            try {
                return Filters.find(name).apply(context, value, arguments.evaluate(context));
            } catch (Fault fault) {
                throw fault.placed(this);
            }
        }
    }

    /** {@code x | filter}. */
    record Filtered(Expression input, FilterUse filter) implements Expression {
        @Override
        public int line() {
            return filter.line;
        }

        @Override
        public String construct() {
            return filter.construct();
        }

        @Override
        public Object evaluate(Context context) {
            return filter.apply(context, context.value(input));
        }
    }

    /** {@code x is test}. */
    record Tested(int line, Expression input, String name, ArgumentList arguments) implements Expression {
        @Override
        public String construct() {
            return "test '" + name + "'";
        }

        @Override
        public Object evaluate(Context context) {
            Object value = context.value(input);
            return Tests.find(name).test(context, value, arguments.evaluate(context));
        }
    }
}
