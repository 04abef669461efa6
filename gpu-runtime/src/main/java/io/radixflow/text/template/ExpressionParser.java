package io.radixflow.text.template;

import io.radixflow.text.template.Accesses.ArgumentList;
import io.radixflow.text.template.Accesses.FilterUse;
import io.radixflow.text.template.Literals.Constant;
import io.radixflow.text.template.Operations.Comparand;
import io.radixflow.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses expressions by recursive descent, with jinja2's precedence (powers group from the left, filters bind tightest). */
final class ExpressionParser {

    private static final String WHAT = "expression";
    private static final Map<String, BinaryOperator> SUMS =
            Map.of("+", BinaryOperator.ADD, "-", BinaryOperator.SUBTRACT);
    private static final Map<String, BinaryOperator> PRODUCTS = Map.of(
            "*", BinaryOperator.MULTIPLY,
            "/", BinaryOperator.DIVIDE,
            "//", BinaryOperator.FLOOR_DIVIDE,
            "%", BinaryOperator.MODULO);
    private static final Map<String, BinaryOperator> POWERS = Map.of("**", BinaryOperator.POWER);
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final TokenStream tokens;
    private Set<String> namesRead = new HashSet<>();

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
    }

    /** Starts collecting the names that expressions read, and returns those collected so far. */
    Set<String> collectNames(Set<String> into) {
        Set<String> before = namesRead;
        namesRead = into;
        return before;
    }

    Expression parse() {
        return parse(true);
    }

    /** A list without brackets is a tuple; without {@code allowsInlineIf} an {@code if} ends the expression. */
    Expression parseTuple(boolean allowsInlineIf) {
        int line = tokens.current().line();
        List<Expression> items = new ArrayList<>();
        boolean isTuple = false;
        while (!endsTuple()) {
            items.add(parse(allowsInlineIf));
            if (!tokens.skipOperator(",")) {
                break;
            }
            isTuple = true;
        }
        if (isTuple) {
            return new Literals.TupleLiteral(line, List.copyOf(items));
        } else if (items.isEmpty()) {
            throw tokens.unexpected("an expression", WHAT);
        }
        return items.get(0);
    }

    private boolean endsTuple() {
        return tokens.isAt(Kind.VARIABLE_END) || tokens.isAt(Kind.BLOCK_END) || tokens.isAtOperator(")");
    }

    private Expression parse(boolean allowsInlineIf) {
        tokens.enter(WHAT);
        Expression value = allowsInlineIf ? parseInlineIf() : parseOr();
        tokens.leave();
        return value;
    }

    private Expression parseInlineIf() {
        Expression value = parseOr();
        while (tokens.isAtName("if")) {
            int line = tokens.next().line();
            Expression test = parseOr();
            Expression otherwise = tokens.skipName("else") ? parse(true) : null;
            value = new Operations.Conditional(line, test, value, otherwise);
        }
        return value;
    }

    private Expression parseOr() {
        Expression left = parseAnd();
        while (tokens.isAtName("or")) {
            int line = tokens.next().line();
            left = new Operations.Logical(line, false, left, parseAnd());
        }
        return left;
    }

    private Expression parseAnd() {
        Expression left = parseNot();
        while (tokens.isAtName("and")) {
            int line = tokens.next().line();
            left = new Operations.Logical(line, true, left, parseNot());
        }
        return left;
    }

    private Expression parseNot() {
        if (!tokens.isAtName("not")) {
            return parseComparison();
        }
        int line = tokens.next().line();
        tokens.enter(WHAT);
        Expression operand = parseNot();
        tokens.leave();
        return new Operations.Not(line, operand);
    }

    private Expression parseComparison() {
        int line = tokens.current().line();
        Expression first = parseBinary(SUMS);
        List<Comparand> rest = new ArrayList<>();
        while (true) {
            String operator;
            if (tokens.isAt(Kind.OPERATOR)
                    && COMPARISONS.contains(tokens.current().text())) {
                operator = tokens.next().text();
            } else if (tokens.skipName("in")) {
                operator = "in";
            } else if (tokens.isAtName("not") && tokens.lookAhead().isName("in")) {
                tokens.next();
                tokens.next();
                operator = "not in";
            } else {
                return rest.isEmpty() ? first : new Operations.Comparison(line, first, List.copyOf(rest));
            }
            rest.add(new Comparand(operator, parseBinary(SUMS)));
        }
    }

    private Expression parseBinary(Map<String, BinaryOperator> operators) {
        Expression left = parseOperand(operators);
        while (tokens.isAt(Kind.OPERATOR)
                && operators.containsKey(tokens.current().text())) {
            Token operator = tokens.next();
            Expression right = parseOperand(operators);
            left = new Operations.Binary(operator.line(), operatorOf(operators, operator), left, right);
        }
        return left;
    }

    private static BinaryOperator operatorOf(Map<String, BinaryOperator> operators, Token token) {
        BinaryOperator operator = operators.get(token.text());
        if (operator == null) {
            throw new IllegalStateException(token.text());
        }
        return operator;
    }

    private Expression parseOperand(Map<String, BinaryOperator> operators) {
        if (operators == SUMS) {
            return parseConcatenation();
        }
        return operators == PRODUCTS ? parseBinary(POWERS) : parseUnary(true);
    }

    private Expression parseConcatenation() {
        int line = tokens.current().line();
        Expression first = parseBinary(PRODUCTS);
        if (!tokens.isAtOperator("~")) {
            return first;
        }
        List<Expression> operands = new ArrayList<>(List.of(first));
        while (tokens.skipOperator("~")) {
            operands.add(parseBinary(PRODUCTS));
        }
        return new Operations.Concatenation(line, List.copyOf(operands));
    }

    private Expression parseUnary(boolean takesFilters) {
        tokens.enter(WHAT);
        Token token = tokens.current();
        Expression value;
        if (token.isOperator("-") || token.isOperator("+")) {
            tokens.next();
            value = new Operations.Sign(token.line(), token.isOperator("-"), parseUnary(false));
        } else {
            value = parsePrimary();
        }
        value = parsePostfix(value);
        tokens.leave();
        return takesFilters ? parseFilters(value) : value;
    }

    private Expression parsePrimary() {
        Token token = tokens.next();
        return switch (token.kind()) {
            case NAME -> name(token);
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (tokens.isAt(Kind.STRING)) {
                    text.append(tokens.next().text());
                }
                yield new Constant(token.line(), text.toString());
            }
            case INTEGER -> new Constant(token.line(), Numerals.integer(token));
            case FLOAT -> new Constant(token.line(), Double.valueOf(token.text().replace("_", "")));
            case OPERATOR -> bracketed(token);
            default -> throw notAnExpression(token);
        };
    }

    private Expression bracketed(Token token) {
        return switch (token.text()) {
            case "(" -> {
                Expression value = tokens.isAtOperator(")")
                        ? new Literals.TupleLiteral(token.line(), List.of())
                        : parseTuple(true);
                tokens.expectOperator(")", WHAT);
                yield value;
            }
            case "[" -> parseList(token.line());
            case "{" -> parseDict(token.line());
            default -> throw notAnExpression(token);
        };
    }

    private static Fault notAnExpression(Token token) {
        return Fault.at(token.line(), WHAT, "unexpected " + token.words());
    }

    private Expression name(Token token) {
        Object value = switch (token.text()) {
            case "true", "True" -> true;
            case "false", "False" -> false;
            case "none", "None" -> None.NONE;
            default -> null;
        };
        if (value != null) {
            return new Constant(token.line(), value);
        }
        namesRead.add(token.text());
        return new Literals.Name(token.line(), token.text());
    }

    private Expression parseList(int line) {
        List<Expression> items = new ArrayList<>();
        while (!tokens.isAtOperator("]")) {
            items.add(parse());
            if (!tokens.skipOperator(",")) {
                break;
            }
        }
        tokens.expectOperator("]", "list");
        return new Literals.ListLiteral(line, List.copyOf(items));
    }

    private Expression parseDict(int line) {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.isAtOperator("}")) {
            keys.add(parse());
            tokens.expectOperator(":", "dict");
            values.add(parse());
            if (!tokens.skipOperator(",")) {
                break;
            }
        }
        tokens.expectOperator("}", "dict");
        return new Literals.DictLiteral(line, List.copyOf(keys), List.copyOf(values));
    }

    private Expression parsePostfix(Expression start) {
        Expression value = start;
        while (true) {
            int line = tokens.current().line();
            if (tokens.skipOperator(".")) {
                value = parseAttribute(line, value);
            } else if (tokens.skipOperator("[")) {
                value = parseSubscript(line, value);
            } else if (tokens.isAtOperator("(")) {
                value = new Accesses.Call(line, value, parseArguments());
            } else {
                return value;
            }
        }
    }

    private Expression parseFilters(Expression start) {
        Expression value = start;
        while (true) {
            int line = tokens.current().line();
            if (tokens.skipOperator("|")) {
                value = new Accesses.Filtered(value, parseFilter(line));
            } else if (tokens.skipName("is")) {
                value = parseTest(line, value);
            } else if (tokens.isAtOperator("(")) {
                value = new Accesses.Call(line, value, parseArguments());
            } else {
                return value;
            }
        }
    }

    private Expression parseAttribute(int line, Expression owner) {
        if (tokens.isAt(Kind.INTEGER)) {
            return new Accesses.Item(line, owner, new Constant(line, Numerals.integer(tokens.next())));
        }
        return new Accesses.Attribute(
                line, owner, tokens.expect(Kind.NAME, "attribute").text());
    }

    private Expression parseSubscript(int line, Expression owner) {
        List<Expression> keys = new ArrayList<>();
        while (!tokens.skipOperator("]")) {
            if (keys.isEmpty() && tokens.isAtOperator(":")) {
                return parseSlice(line, owner, null);
            }
            keys.add(parse());
            if (keys.size() == 1 && tokens.isAtOperator(":")) {
                return parseSlice(line, owner, keys.get(0));
            } else if (!tokens.isAtOperator("]")) {
                tokens.expectOperator(",", "item access");
            }
        }
        Expression key = keys.size() == 1 ? keys.get(0) : new Literals.TupleLiteral(line, List.copyOf(keys));
        return new Accesses.Item(line, owner, key);
    }

    private Expression parseSlice(int line, Expression owner, @Nullable Expression start) {
        tokens.expectOperator(":", "slice");
        Expression stop = tokens.isAtOperator(":") || tokens.isAtOperator("]") ? null : parse();
        Expression step = tokens.skipOperator(":") && !tokens.isAtOperator("]") ? parse() : null;
        tokens.expectOperator("]", "slice");
        return new Accesses.Slice(line, owner, start, stop, step);
    }

    /** The part of a filter after its bar. */
    FilterUse parseFilter(int line) {
        StringBuilder name =
                new StringBuilder(tokens.expect(Kind.NAME, "filter").text());
        while (tokens.skipOperator(".")) {
            name.append('.').append(tokens.expect(Kind.NAME, "filter").text());
        }
        return new FilterUse(line, name.toString(), tokens.isAtOperator("(") ? parseArguments() : ArgumentList.NONE);
    }

    private Expression parseTest(int line, Expression input) {
        boolean isNegated = tokens.skipName("not");
        String name = tokens.expect(Kind.NAME, "test").text();
        ArgumentList arguments = ArgumentList.NONE;
        if (tokens.isAtOperator("(")) {
            arguments = parseArguments();
        } else if (startsTestArgument()) {
            if (tokens.isAtName("is")) {
                throw tokens.unexpected("no second test", "test");
            }
            Expression argument = parsePostfix(parsePrimary());
            arguments = new ArgumentList(List.of(argument), Map.of(), null, null);
        }
        Expression test = new Accesses.Tested(line, input, name, arguments);
        return isNegated ? new Operations.Not(line, test) : test;
    }

    private boolean startsTestArgument() {
        Token token = tokens.current();
        return switch (token.kind()) {
            case NAME -> !(token.isName("else") || token.isName("or") || token.isName("and"));
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> token.isOperator("[") || token.isOperator("{");
            default -> false;
        };
    }

    /** {@code (a, b=c, *d, **e)}. */
    ArgumentList parseArguments() {
        tokens.expectOperator("(", "call");
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        @Nullable Expression starred = null;
        @Nullable Expression doubleStarred = null;
        while (!tokens.isAtOperator(")")) {
            if (tokens.skipOperator("*") && starred == null && doubleStarred == null) {
                starred = parse();
            } else if (tokens.skipOperator("**") && doubleStarred == null) {
                doubleStarred = parse();
            } else if (tokens.isAt(Kind.NAME) && tokens.lookAhead().isOperator("=") && doubleStarred == null) {
                Token name = tokens.next();
                tokens.next();
                if (named.put(name.text(), parse()) != null) {
                    throw Fault.at(name.line(), "call", "argument '" + name.text() + "' is given twice");
                }
            } else if (named.isEmpty() && starred == null && doubleStarred == null) {
                positional.add(parse());
            } else {
                throw tokens.unexpected("an argument in its order", "call");
            }
            if (!tokens.skipOperator(",")) {
                break;
            }
        }
        tokens.expectOperator(")", "call");
        // Not Map.copyOf: arguments are evaluated in the order written.
        return new ArgumentList(List.copyOf(positional), named, starred, doubleStarred);
    }
}
