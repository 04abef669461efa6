package io.radixflow.text.template;

import io.radixflow.text.template.Statement.Flow;
import java.time.Clock;
import java.util.List;

/** The state of one rendering: scope, output, work done. Owned by the rendering thread. */
final class Context {

    final Work work;
    final Clock clock;
    Scope scope;
    private StringBuilder output = new StringBuilder();

    Context(Scope scope, Limits limits, Clock clock) {
        this.scope = scope;
        this.clock = clock;
        work = new Work(limits);
    }

    Object value(Expression expression) {
        try {
            work.enter();
            work.charge(Work.NODE);
            Object value = expression.evaluate(this);
            work.leave();
            return value;
        } catch (Fault fault) {
            throw fault.placed(expression);
        }
    }

    boolean isTrue(Expression expression) {
        return Types.isTrue(value(expression));
    }

    Flow run(Statement statement) {
        try {
            work.enter();
            work.charge(Work.NODE);
            Flow flow = statement.execute(this);
            work.leave();
            return flow;
        } catch (Fault fault) {
            throw fault.placed(statement);
        }
    }

    /** Runs until a statement breaks or continues a loop. */
    Flow run(List<Statement> statements) {
        for (Statement statement : statements) {
            Flow flow = run(statement);
            if (flow != Flow.NEXT) {
                return flow;
            }
        }
        return Flow.NEXT;
    }

    /** Runs in a scope of its own, whose parent is the given one. */
    Flow runIn(Scope inner, List<Statement> statements) {
        Scope outer = scope;
        scope = inner;
        Flow flow = run(statements);
        scope = outer;
        return flow;
    }

    /** What the statements write, instead of writing it. */
    String capture(Scope inner, List<Statement> statements) {
        StringBuilder outer = output;
        output = new StringBuilder();
        runIn(inner, statements);
        String captured = output.toString();
        output = outer;
        return captured;
    }

    void write(String text) {
        work.charge(text.length());
        work.checkText((long) output.length() + text.length());
        output.append(text);
    }

    String text(Object value) {
        return PythonText.of(value, work);
    }

    String output() {
        return output.toString();
    }
}
