package io.radixflow.text.template;

import java.util.Random;

/**
 * Writes random templates of the subset that make texts and lists grow, most of which run for a while: {@code ns.t} is a text, {@code ns.l} a
 * list, {@code ns.n} a number. In a form, T stands for a text, L for a list, N for a number, X for any of them.
 */
final class TemplateWriter {

    private static final String[] TEXTS = {
        "ns.t", "ns.t", "ns.t", "big", "'a'", "'-'", "''", "'\\u00e9 B\\n'", "messages[0].content"
    };
    private static final String[] LISTS = {
        "ns.l", "ns.l", "ns.l", "messages", "[]", "[1, 2]", "('a', 1)", "range(1000)", "range(99999)"
    };
    private static final String[] NUMBERS = {
        "ns.n", "ns.n", "0", "1", "-1", "2", "7", "100", "1000", "99999", "1000000", "2147483648", "1.5"
    };
    private static final String[] TEXT_FORMS = {
        "T + T",
        "T ~ X",
        "T ~ T ~ T",
        "T * N",
        "X|string",
        "T|string",
        "L|join(T)",
        "L|map('string')|join(T)",
        "T.join(T)",
        "T.join(T.split())",
        "T.upper()",
        "T.lower()",
        "T.title()",
        "T.capitalize()",
        "T.strip(T)",
        "T.rstrip()",
        "T.replace(T, T)",
        "T.replace('a', T)",
        "T.replace('', T)",
        "T.removeprefix(T)",
        "T.zfill(N)",
        "T[N:]",
        "T[:N]",
        "T[::-1]",
        "T[::2]",
        "T[0]",
        "T|upper",
        "T|title",
        "T|escape",
        "T|trim(T)",
        "T|replace('a', T)",
        "T|indent(N)",
        "T|indent(T, true, true)",
        "T|center(N)",
        "T|reverse",
        "T|default(T)",
        "X|tojson",
        "X|tojson(indent=N)",
        "L|tojson(separators=(T, T))",
        "L|tojson(indent=T)",
        "'%s%s' % (T, X)",
        "'%s' % (T,)",
        "'{}{}{}'.format(T, T, X)",
        "'%s'|format(X)",
        "'{:>9999}'.format(T)",
        "'%9999s%9999s' % (T, T)",
        "'%(k)s' % {'k': T}",
        "m(X)",
        "m(T, T)",
        "(T if X else T)",
        "L|first|string",
        "L|max|string",
        "T.partition(T)|join",
        "loop.cycle(T, T)|string",
        "{T: X}|string",
        "{X: X}|tojson"
    };
    private static final String[] LIST_FORMS = {
        "L + L",
        "L|list + L|list",
        "L * N",
        "(L|list) * N",
        "[X] * N",
        "[X, X]",
        "(X, X)",
        "(X, X) * N",
        "T|list",
        "T.split()",
        "T.split(T)",
        "T.split('a')",
        "T.rsplit(T, N)",
        "T.splitlines()",
        "T.splitlines(true)",
        "L|sort|list",
        "L|map('string')|sort",
        "T|list|sort",
        "L|reverse|list",
        "L|unique|list",
        "T|unique|list",
        "L|batch(N)|list",
        "L|batch(N, X)|list",
        "L|map('upper')|list",
        "L|map('length')|list",
        "L|select|list",
        "L|map('string')|select('in', T)|list",
        "L[N:]",
        "L[::-1]",
        "L[::2]",
        "range(N)|list",
        "{X: X}.items()|list",
        "{T: X}|dictsort",
        "{'k': L}.values()|list",
        "dict(L|batch(2)).items()|list",
        "[ns.l.append(X), ns.l]",
        "(L if X else L)",
        "L.copy()"
    };
    private static final String[] NUMBER_FORMS = {
        "N + N",
        "N * N",
        "N - N",
        "N // 3",
        "N % 7",
        "N ** 2",
        "T|length",
        "L|length",
        "T|wordcount",
        "T.count(T)",
        "T.count('a')",
        "T.find(T)",
        "T.rfind(T)",
        "L|sum",
        "T|int",
        "N|abs",
        "N|round|int",
        "(T in T)|int",
        "(X in L)|int",
        "(L == L)|int",
        "(T < T)|int",
        "(L < L)|int",
        "T.isalnum()|int",
        "T.startswith(T)|int",
        "L|min|int",
        "L.index(X)",
        "L|list|count",
        "loop.index|int",
        "loop.length|int",
        "ns.l.pop()|int"
    };

    private final Random random;
    private final StringBuilder out = new StringBuilder();

    TemplateWriter(Random random) {
        this.random = random;
    }

    String template() {
        out.append("{% set ns = namespace(t='ab', l=[1, 'x'], n=7) %}{% macro m(x, y='y') %}{{ x }}");
        body(random.nextInt(2));
        out.append("{% endmacro %}");
        body(3);
        return out.toString();
    }

    private void body(int depth) {
        int numStatements = 1 + random.nextInt(4);
        for (int i = 0; i < numStatements; i++) {
            statement(depth);
        }
    }

    private void statement(int depth) {
        switch (random.nextInt(depth > 0 ? 12 : 7)) {
            case 0 -> form("{{ X }}", 3);
            case 1, 2 -> form("{% set ns.t = T %}", 3);
            case 3, 4 -> form("{% set ns.l = L %}", 3);
            case 5 -> form("{% set ns.n = N %}", 2);
            case 6 -> out.append("text\n");
            case 7, 8 -> block("{% for i in range(" + (1 + random.nextInt(2000)) + ") %}", "{% endfor %}", depth);
            case 9 ->
                block(
                        random.nextBoolean() ? "{% for i in L %}" : "{% for i in L if X recursive %}{{ loop(ns.l) }}",
                        "{% endfor %}",
                        depth);
            case 10 -> block("{% if X %}", "{% else %}text{% endif %}", depth);
            default -> block("{% set ns.t %}", "{% endset %}", depth);
        }
    }

    private void block(String open, String close, int depth) {
        form(open, 2);
        body(depth - 1);
        out.append(close);
    }

    private void expression(char kind, int depth) {
        char chosen = kind == 'X' ? "TLN".charAt(random.nextInt(3)) : kind;
        boolean isLeaf = depth == 0 || random.nextInt(5) == 0;
        String[] forms = switch (chosen) {
            case 'T' -> isLeaf ? TEXTS : TEXT_FORMS;
            case 'L' -> isLeaf ? LISTS : LIST_FORMS;
            default -> isLeaf ? NUMBERS : NUMBER_FORMS;
        };
        String form = forms[random.nextInt(forms.length)];
        if (isLeaf) {
            out.append(form);
        } else {
            out.append('(');
            form(form, depth - 1);
            out.append(')');
        }
    }

    /** Writes the form, its places filled with expressions of that depth. */
    private void form(String form, int depth) {
        for (int i = 0; i < form.length(); i++) {
            char c = form.charAt(i);
            if (c == 'T' || c == 'L' || c == 'N' || c == 'X') {
                expression(c, depth);
            } else {
                out.append(c);
            }
        }
    }
}
