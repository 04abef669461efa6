package io.radixflow.text.template;

import io.radixflow.text.template.Accesses.FilterUse;
import io.radixflow.text.template.Targets.Target;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Text, output, branches, loops and assignments. */
final class Statements {

    private Statements() {}

    /** Template text, written as it is. */
    record Text(int line, String text) implements Statement {
        @Override
        public String construct() {
            return "text";
        }

        @Override
        public Flow execute(Context context) {
            context.write(text);
            return Flow.NEXT;
        }
    }

    /** <code>{{ x }}</code>. */
    record Output(int line, Expression expression) implements Statement {
        @Override
        public String construct() {
            return "output";
        }

        @Override
        public Flow execute(Context context) {
            context.write(context.text(context.value(expression)));
            return Flow.NEXT;
        }
    }

    /** A condition and what it guards. */
    record Branch(Expression test, List<Statement> body) {}

    /** {@code if}, {@code elif}, {@code else}: runs in the scope around it. */
    record If(int line, List<Branch> branches, List<Statement> otherwise) implements Statement {
        @Override
        public String construct() {
            return "if";
        }

        @Override
        public Flow execute(Context context) {
            for (Branch branch : branches) {
                if (context.isTrue(branch.test)) {
                    return context.run(branch.body);
                }
            }
            return context.run(otherwise);
        }
    }

    /** A loop; each turn has a scope of its own, and the test chooses the items before the first turn. */
    record For(
            int line,
            Target target,
            Expression iterable,
            @Nullable Expression test,
            boolean isRecursive,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {
        @Override
        public String construct() {
            return "for";
        }

        @Override
        public Flow execute(Context context) {
            loop(context, context.value(iterable), 0);
            return Flow.NEXT;
        }

        /** What the loop writes over other items. */
        Object recurse(Context context, Object children, int depth, Scope scope) {
            Scope outer = context.scope;
            context.scope = scope;
            Statement nested = new Statement() {
                @Override
                public int line() {
                    return For.this.line();
                }

                @Override
                public String construct() {
                    return For.this.construct();
                }

                @Override
                public Flow execute(Context inner) {
                    loop(inner, children, depth);
                    return Flow.NEXT;
                }
            };
            String written = context.capture(new Scope(scope), List.of(nested));
            context.scope = outer;
            return written;
        }

        private void loop(Context context, Object iterated, int depth) {
            Scope outer = context.scope;
            List<Object> items = chosen(context, new ArrayList<>(Types.items(iterated, context.work)));
            LoopState state = new LoopState(this, items, depth, outer);
            for (int i = 0; i < items.size(); i++) {
                state.moveTo(i);
                context.work.charge(Work.NODE);
                context.scope = new Scope(outer);
                context.scope.set("loop", state);
                target.assign(context, items.get(i));
                Flow flow = context.run(body);
                context.scope = outer;
                if (flow == Flow.BREAK) {
                    return;
                }
            }
            if (items.isEmpty()) {
                context.runIn(new Scope(outer), otherwise);
            }
        }

        private List<Object> chosen(Context context, List<Object> items) {
            if (test == null) {
                return items;
            }
            Scope outer = context.scope;
            List<Object> chosen = new ArrayList<>();
            for (Object item : items) {
                context.scope = new Scope(outer);
                target.assign(context, item);
                if (context.isTrue(test)) {
                    chosen.add(item);
                }
            }
            context.scope = outer;
            return chosen;
        }
    }

    /** {@code break} or {@code continue}. */
    record Jump(int line, Flow flow) implements Statement {
        @Override
        public String construct() {
            return flow == Flow.BREAK ? "break" : "continue";
        }

        @Override
        public Flow execute(Context context) {
            return flow;
        }
    }

    /** {@code set x = y}. */
    record Assignment(int line, Target target, Expression value) implements Statement {
        @Override
        public String construct() {
            return "set";
        }

        @Override
        public Flow execute(Context context) {
            target.assign(context, context.value(value));
            return Flow.NEXT;
        }
    }

    /** {@code set x} with a body, whose output is the value. */
    record BlockAssignment(int line, Target target, List<FilterUse> filters, List<Statement> body)
            implements Statement {
        @Override
        public String construct() {
            return "set";
        }

        @Override
        public Flow execute(Context context) {
            Object text = context.capture(new Scope(context.scope), body);
            target.assign(context, filtered(context, filters, text));
            return Flow.NEXT;
        }
    }

    /** {@code filter f} with a body, whose output is filtered. */
    record FilterBlock(int line, List<FilterUse> filters, List<Statement> body) implements Statement {
        @Override
        public String construct() {
            return "filter block";
        }

        @Override
        public Flow execute(Context context) {
            Object text = context.capture(new Scope(context.scope), body);
            context.write(context.text(filtered(context, filters, text)));
            return Flow.NEXT;
        }
    }

    private static Object filtered(Context context, List<FilterUse> filters, Object text) {
        Object value = text;
        for (FilterUse filter : filters) {
            value = filter.apply(context, value);
        }
        return value;
    }

    /** {@code with a = b} and {@code generation}: a body in a scope of its own. The lists are parallel. */
    record Scoped(int line, List<Target> targets, List<Expression> values, List<Statement> body) implements Statement {
        @Override
        public String construct() {
            return targets.isEmpty() ? "block" : "with";
        }

        @Override
        public Flow execute(Context context) {
            List<Object> evaluated = new ArrayList<>(values.size());
            for (Expression value : values) {
                evaluated.add(context.value(value));
            }
            Scope outer = context.scope;
            Scope inner = new Scope(outer);
            context.scope = inner;
            for (int i = 0; i < evaluated.size(); i++) {
                targets.get(i).assign(context, evaluated.get(i));
            }
            context.scope = outer;
            return context.runIn(inner, body);
        }
    }
}
