package io.radixflow.text.template;

import java.time.Clock;
import java.util.List;
import java.util.Map;

/**
 * A parsed template. Immutable and thread-safe: each rendering has its own state, and a copy of the variables, so that a template never
 * changes what the caller passed. Text in variables is data; it is never parsed.
 */
public final class Template {

    private final List<Statement> statements;
    private final Clock clock;
    private final Limits limits;

    private Template(List<Statement> statements, Clock clock, Limits limits) {
        this.statements = statements;
        this.clock = clock;
        this.limits = limits;
    }

    /**
     * Parses the source.
     *
     * @param clock tells {@code strftime_now} the time
     * @throws IllegalArgumentException in one line with line and construct, if the source is not a template of the subset
     */
    public static Template parse(String source, Clock clock) {
        return parse(source, clock, Limits.DEFAULT);
    }

    static Template parse(String source, Clock clock, Limits limits) {
        if (source.length() > Limits.SOURCE_CHARS) {
            throw Fault.at(1, "template", "longer than the limit of " + Limits.SOURCE_CHARS + " characters");
        }
        return new Template(StatementParser.parse(source), clock, limits);
    }

    /**
     * What the template writes for these variables.
     *
     * @param variables strings, numbers, booleans, null, and lists and maps of them
     * @throws IllegalArgumentException in one line with line and construct, if the template raises, uses a value wrongly or exceeds a limit;
     *     naming the variable if its type is none of the above
     */
    public String render(Map<String, ?> variables) {
        Scope given = new Scope(null);
        variables.forEach((name, value) -> given.set(name, Variables.convert(value, name)));
        Context context = new Context(new Scope(given), limits, clock);
        context.run(statements);
        return context.output();
    }
}
