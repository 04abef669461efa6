package io.radixflow.text.template;

import io.radixflow.text.template.Accesses.Call;
import io.radixflow.text.template.Accesses.FilterUse;
import io.radixflow.text.template.Macros.Code;
import io.radixflow.text.template.Macros.Parameter;
import io.radixflow.text.template.Statement.Flow;
import io.radixflow.text.template.Statements.Branch;
import io.radixflow.text.template.Targets.NameTarget;
import io.radixflow.text.template.Targets.NamespaceTarget;
import io.radixflow.text.template.Targets.Target;
import io.radixflow.text.template.Targets.TupleTarget;
import io.radixflow.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Parses text and tags into statements. */
final class StatementParser {

    private final TokenStream tokens;
    private final ExpressionParser expressions;
    private int loops;

    StatementParser(TokenStream tokens) {
        this.tokens = tokens;
        expressions = new ExpressionParser(tokens);
    }

    /** @throws Fault naming line and construct */
    static List<Statement> parse(String source) {
        StatementParser parser = new StatementParser(new TokenStream(new Lexer(source).tokens()));
        return parser.parseBody("template");
    }

    /** Up to one of the end tags, whose name is then current; without end tags, up to the end of the template. */
    private List<Statement> parseBody(String construct, String... endTags) {
        int begin = tokens.current().line();
        tokens.enter(construct);
        List<Statement> body = new ArrayList<>();
        while (!tokens.isAt(Kind.END)) {
            Token token = tokens.next();
            if (token.kind() == Kind.DATA) {
                body.add(new Statements.Text(token.line(), token.text()));
            } else if (token.kind() == Kind.VARIABLE_BEGIN) {
                body.add(new Statements.Output(token.line(), expressions.parseTuple(true)));
                tokens.expect(Kind.VARIABLE_END, "output");
            } else if (tokens.isAt(Kind.NAME)
                    && List.of(endTags).contains(tokens.current().text())) {
                tokens.leave();
                return List.copyOf(body);
            } else {
                body.add(parseTag());
            }
        }
        if (endTags.length > 0) {
            throw Fault.at(begin, construct, "missing '{% " + endTags[endTags.length - 1] + " %}'");
        }
        tokens.leave();
        return List.copyOf(body);
    }

    private Statement parseTag() {
        Token tag = tokens.expect(Kind.NAME, "tag");
        int line = tag.line();
        return switch (tag.text()) {
            case "if" -> parseIf(line);
            case "for" -> parseFor(line);
            case "set" -> parseSet(line);
            case "macro" -> parseMacro(line);
            case "call" -> parseCallBlock(line);
            case "filter" -> parseFilterBlock(line);
            case "with" -> parseWith(line);
            case "generation" -> {
                endTag("generation");
                yield new Statements.Scoped(
                        line, List.of(), List.of(), bodyOutsideLoops("generation", "endgeneration"));
            }
            case "break", "continue" -> parseJump(tag);
            default -> throw Fault.at(line, "tag '" + tag.text() + "'", "unknown, or not expected here");
        };
    }

    private void endTag(String construct) {
        tokens.expect(Kind.BLOCK_END, construct);
    }

    private List<Statement> bodyUntil(String construct, String endTag) {
        List<Statement> body = parseBody(construct, endTag);
        tokens.next();
        endTag(endTag);
        return body;
    }

    /** A body that runs apart from a loop around it, so that it can't break out of it. */
    private List<Statement> bodyOutsideLoops(String construct, String endTag) {
        int outer = loops;
        loops = 0;
        List<Statement> body = bodyUntil(construct, endTag);
        loops = outer;
        return body;
    }

    private Statement parseIf(int line) {
        List<Branch> branches = new ArrayList<>();
        while (true) {
            Expression test = expressions.parseTuple(false);
            endTag("if");
            branches.add(new Branch(test, parseBody("if", "elif", "else", "endif")));
            Token end = tokens.next();
            if (end.isName("elif")) {
                continue;
            }
            List<Statement> otherwise = List.of();
            if (end.isName("else")) {
                endTag("else");
                otherwise = parseBody("if", "endif");
                tokens.next();
            }
            endTag("endif");
            return new Statements.If(line, List.copyOf(branches), otherwise);
        }
    }

    private Statement parseFor(int line) {
        Target target = parseTarget("for", false);
        if (!tokens.skipName("in")) {
            throw tokens.unexpected("'in'", "for");
        }
        Expression iterable = expressions.parseTuple(false);
        Expression test = tokens.skipName("if") ? expressions.parse() : null;
        boolean isRecursive = tokens.skipName("recursive");
        endTag("for");
        loops++;
        List<Statement> body = parseBody("for", "else", "endfor");
        loops--;
        List<Statement> otherwise = List.of();
        if (tokens.next().isName("else")) {
            endTag("else");
            otherwise = parseBody("for", "endfor");
            tokens.next();
        }
        endTag("endfor");
        return new Statements.For(line, target, iterable, test, isRecursive, body, otherwise);
    }

    private Statement parseJump(Token tag) {
        if (loops == 0) {
            throw Fault.at(tag.line(), tag.text(), "outside of a loop");
        }
        endTag(tag.text());
        return new Statements.Jump(tag.line(), tag.isName("break") ? Flow.BREAK : Flow.CONTINUE);
    }

    private Statement parseSet(int line) {
        Target target = parseTarget("set", true);
        if (tokens.skipOperator("=")) {
            Expression value = expressions.parseTuple(true);
            endTag("set");
            return new Statements.Assignment(line, target, value);
        }
        List<FilterUse> filters = new ArrayList<>();
        while (tokens.skipOperator("|")) {
            filters.add(expressions.parseFilter(tokens.current().line()));
        }
        endTag("set");
        return new Statements.BlockAssignment(line, target, List.copyOf(filters), bodyOutsideLoops("set", "endset"));
    }

    private Target parseTarget(String construct, boolean allowsNamespace) {
        List<Target> targets = new ArrayList<>();
        boolean isTuple = false;
        while ((tokens.isAt(Kind.NAME) && !tokens.isAtName("in")) || tokens.isAtOperator("(")) {
            targets.add(parseOneTarget(construct, allowsNamespace));
            if (!tokens.skipOperator(",")) {
                break;
            }
            isTuple = true;
        }
        if (targets.isEmpty()) {
            throw tokens.unexpected("a name", construct);
        }
        return isTuple ? new TupleTarget(List.copyOf(targets)) : targets.get(0);
    }

    private Target parseOneTarget(String construct, boolean allowsNamespace) {
        if (tokens.skipOperator("(")) {
            tokens.enter(construct);
            Target target = parseTarget(construct, allowsNamespace);
            tokens.leave();
            tokens.expectOperator(")", construct);
            return target;
        }
        String name = targetName(construct);
        if (allowsNamespace && tokens.skipOperator(".")) {
            return new NamespaceTarget(name, tokens.expect(Kind.NAME, construct).text());
        }
        return new NameTarget(name);
    }

    private String targetName(String construct) {
        Token name = tokens.expect(Kind.NAME, construct);
        if (Set.of("true", "false", "none", "True", "False", "None").contains(name.text())) {
            throw Fault.at(name.line(), construct, "can't assign to '" + name.text() + "'");
        }
        return name.text();
    }

    private Statement parseMacro(int line) {
        String name = targetName("macro");
        List<Parameter> parameters = parseParameters("macro '" + name + "'");
        return new Macros.Definition(line, parseCode(name, parameters, "macro", "endmacro"));
    }

    private Code parseCode(String name, List<Parameter> parameters, String construct, String endTag) {
        endTag(construct);
        Set<String> used = new HashSet<>();
        Set<String> outer = expressions.collectNames(used);
        List<Statement> body = bodyOutsideLoops(construct, endTag);
        expressions.collectNames(outer);
        outer.addAll(used);
        return new Code(name, parameters, body, Set.copyOf(used));
    }

    private List<Parameter> parseParameters(String construct) {
        tokens.expectOperator("(", construct);
        List<Parameter> parameters = new ArrayList<>();
        boolean hasDefault = false;
        while (!tokens.isAtOperator(")")) {
            if (!parameters.isEmpty()) {
                tokens.expectOperator(",", construct);
            }
            int line = tokens.current().line();
            String name = targetName(construct);
            if (parameters.stream().anyMatch(parameter -> parameter.name().equals(name))) {
                throw Fault.at(line, construct, "two parameters named '" + name + "'");
            }
            Expression absent = tokens.skipOperator("=") ? expressions.parse() : null;
            if (hasDefault && absent == null) {
                throw Fault.at(line, construct, "parameter '" + name + "' needs a default, as one before it has");
            }
            hasDefault = absent != null;
            parameters.add(new Parameter(name, absent));
        }
        tokens.expectOperator(")", construct);
        return List.copyOf(parameters);
    }

    private Statement parseCallBlock(int line) {
        List<Parameter> parameters = tokens.isAtOperator("(") ? parseParameters("call") : List.of();
        if (!(expressions.parse() instanceof Call call)) {
            throw Fault.at(line, "call block", "needs a call");
        }
        return new Macros.CallBlock(line, parseCode("caller", parameters, "call", "endcall"), call);
    }

    private Statement parseFilterBlock(int line) {
        List<FilterUse> filters = new ArrayList<>();
        do {
            filters.add(expressions.parseFilter(tokens.current().line()));
        } while (tokens.skipOperator("|"));
        endTag("filter");
        return new Statements.FilterBlock(line, List.copyOf(filters), bodyOutsideLoops("filter", "endfilter"));
    }

    private Statement parseWith(int line) {
        List<Target> targets = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.isAt(Kind.BLOCK_END)) {
            if (!targets.isEmpty()) {
                tokens.expectOperator(",", "with");
            }
            targets.add(new NameTarget(targetName("with")));
            tokens.expectOperator("=", "with");
            values.add(expressions.parse());
        }
        endTag("with");
        return new Statements.Scoped(line, List.copyOf(targets), List.copyOf(values), bodyUntil("with", "endwith"));
    }
}
