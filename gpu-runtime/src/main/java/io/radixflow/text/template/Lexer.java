package io.radixflow.text.template;

import io.radixflow.text.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens as jinja2 does with {@code trim_blocks} and {@code lstrip_blocks}: a block's line end and the blanks before it
 * vanish, a minus at a tag strips all white space on its side, a plus strips nothing. Used once, by one thread.
 */
final class Lexer {

    private static final Pattern RAW_BEGIN = pattern("\\{%([-+]?)\\s*raw\\s*(?:-%\\}\\s*|%\\})");
    private static final Pattern RAW_END = pattern("\\{%([-+]?)\\s*endraw\\s*(?:\\+%\\}|-%\\}\\s*|%\\}\\n?)");
    private static final Pattern COMMENT_END = pattern("\\+#\\}|-#\\}\\s*|#\\}\\n?");
    private static final Pattern BLOCK_END = pattern("\\+%\\}|-%\\}\\s*|%\\}\\n?");
    private static final Pattern VARIABLE_END = pattern("-\\}\\}\\s*|\\}\\}");
    private static final Pattern FLOAT = Pattern.compile(
            "(?<!\\.)(?:\\d+_)*\\d+(?:(?:\\.(?:\\d+_)*\\d+)?[eE][+-]?(?:\\d+_)*\\d+|\\.(?:\\d+_)*\\d+)");
    private static final Pattern INTEGER = Pattern.compile(
            "0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[0-9a-f])+|[1-9](?:_?\\d)*|0(?:_?0)*", Pattern.CASE_INSENSITIVE);
    private static final Pattern NAME = pattern("\\w+");
    private static final Pattern OPERATOR = pattern("//|\\*\\*|==|!=|>=|<=|[-+/*%~\\[\\](){}<>=.:|,;]");

    private static final int MAX_NUMBER_CHARS = 101;

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int position;
    private int line = 1;
    private int lineCountedTo;

    Lexer(String template) {
        String lines = template.replace("\r\n", "\n").replace('\r', '\n');
        source = lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines;
    }

    private static Pattern pattern(String regex) {
        return Pattern.compile(regex, Pattern.UNICODE_CHARACTER_CLASS);
    }

    /** @throws Fault if a tag, string or comment does not end, or a character means nothing */
    List<Token> tokens() {
        while (position < source.length()) {
            int open = nextTag();
            if (open < 0) {
                add(Kind.DATA, source.substring(position));
                position = source.length();
            } else {
                readTag(open);
            }
        }
        add(Kind.END, "");
        return tokens;
    }

    private int nextTag() {
        for (int i = source.indexOf('{', position); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            char second = source.charAt(i + 1);
            if (second == '{' || second == '%' || second == '#') {
                return i;
            }
        }
        return -1;
    }

    private void readTag(int open) {
        char second = source.charAt(open + 1);
        Matcher raw = at(RAW_BEGIN, open);
        if (second == '%' && raw.lookingAt()) {
            addText(open, sign(open + 2), true);
            position = raw.end();
            readRaw();
            return;
        }
        char sign = sign(open + 2);
        addText(open, sign, second != '{');
        position = open + (sign == 0 ? 2 : 3);
        if (second == '#') {
            Matcher end = COMMENT_END.matcher(source);
            if (!end.find(position)) {
                throw Fault.at(lineAt(open), "comment", "missing '#}'");
            }
            position = end.end();
        } else if (second == '%') {
            add(Kind.BLOCK_BEGIN, "{%");
            readCode(BLOCK_END, Kind.BLOCK_END);
        } else {
            add(Kind.VARIABLE_BEGIN, "{{");
            readCode(VARIABLE_END, Kind.VARIABLE_END);
        }
    }

    private void readRaw() {
        int start = position;
        Matcher end = RAW_END.matcher(source);
        if (!end.find(start)) {
            throw Fault.at(lineAt(start), "raw", "missing '{% endraw %}'");
        }
        addText(end.start(), sign(end.start() + 2), true);
        position = end.end();
    }

    /** The plus or minus at an index, or 0. */
    private char sign(int index) {
        char c = index < source.length() ? source.charAt(index) : 0;
        return c == '-' || c == '+' ? c : 0;
    }

    /** Adds the text before a tag, stripped as the tag's sign asks. */
    private void addText(int end, char sign, boolean isBlock) {
        int textEnd = end;
        if (sign == '-') {
            while (textEnd > position && CodePoints.isSpace(source.charAt(textEnd - 1))) {
                textEnd--;
            }
        } else if (sign == 0 && isBlock) {
            int from = end;
            while (from > position && source.charAt(from - 1) != '\n' && CodePoints.isSpace(source.charAt(from - 1))) {
                from--;
            }
            textEnd = from == 0 || source.charAt(from - 1) == '\n' ? from : end;
        }
        if (textEnd > position) {
            add(Kind.DATA, source.substring(position, textEnd));
        }
    }

    private void readCode(Pattern end, Kind endKind) {
        Deque<Character> brackets = new ArrayDeque<>();
        int begin = position;
        while (true) {
            while (position < source.length() && CodePoints.isSpace(source.charAt(position))) {
                position++;
            }
            if (position == source.length()) {
                throw Fault.at(lineAt(begin), "tag", "missing " + endKind.words);
            }
            if (brackets.isEmpty() && "-+%}".indexOf(source.charAt(position)) >= 0) {
                Matcher ending = at(end, position);
                if (ending.lookingAt()) {
                    add(endKind, ending.group());
                    position = ending.end();
                    return;
                }
            }
            readToken(brackets);
        }
    }

    private void readToken(Deque<Character> brackets) {
        char c = source.charAt(position);
        if (c == '\'' || c == '"') {
            readString(c);
        } else if (!(takeNumber() || takeName() || take(OPERATOR, Kind.OPERATOR))) {
            throw Fault.at(
                    lineAt(position),
                    "tag",
                    "unexpected character " + PythonText.quoted(Character.toString(source.codePointAt(position))));
        }
        if (c == '(' || c == '[' || c == '{') {
            brackets.push(c == '(' ? ')' : c == '[' ? ']' : '}');
        } else if (c == ')' || c == ']' || c == '}') {
            Character wanted = brackets.poll();
            if (wanted == null || wanted != c) {
                throw Fault.at(
                        lineAt(position - 1),
                        "tag",
                        "unexpected '" + c + "'" + (wanted == null ? "" : ", expected '" + wanted + "'"));
            }
        }
    }

    private boolean takeNumber() {
        char c = source.charAt(position);
        return c >= '0' && c <= '9' && (takeNumber(FLOAT, Kind.FLOAT) || takeNumber(INTEGER, Kind.INTEGER));
    }

    /** Within {@link #MAX_NUMBER_CHARS}, since the patterns of numbers recurse. */
    private boolean takeNumber(Pattern pattern, Kind kind) {
        int end = Math.min(source.length(), position + MAX_NUMBER_CHARS);
        Matcher matcher = pattern.matcher(source).region(position, end).useTransparentBounds(true);
        if (!matcher.lookingAt()) {
            return false;
        } else if (matcher.end() == position + MAX_NUMBER_CHARS) {
            throw Fault.at(
                    lineAt(position), "number", "longer than the limit of " + (MAX_NUMBER_CHARS - 1) + " characters");
        }
        add(kind, matcher.group());
        position = matcher.end();
        return true;
    }

    private boolean take(Pattern pattern, Kind kind) {
        Matcher matcher = at(pattern, position);
        if (!matcher.lookingAt()) {
            return false;
        }
        add(kind, matcher.group());
        position = matcher.end();
        return true;
    }

    private boolean takeName() {
        int first = source.codePointAt(position);
        return (first == '_' || Character.isUnicodeIdentifierStart(first)) && take(NAME, Kind.NAME);
    }

    private void readString(char quote) {
        int start = position + 1;
        int end = start;
        while (end < source.length() && source.charAt(end) != quote) {
            end += source.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= source.length()) {
            throw Fault.at(lineAt(position), "string", "missing closing quote");
        }
        add(Kind.STRING, StringEscapes.decode(source.substring(start, end), lineAt(position)));
        position = end + 1;
    }

    private Matcher at(Pattern pattern, int index) {
        return pattern.matcher(source).region(index, source.length()).useTransparentBounds(true);
    }

    private void add(Kind kind, String text) {
        tokens.add(new Token(kind, text, lineAt(position)));
    }

    /** Counts on from the last place asked for, so that all places together cost one pass. */
    private int lineAt(int index) {
        for (int i = lineCountedTo; i < index; i++) {
            line += source.charAt(i) == '\n' ? 1 : 0;
        }
        for (int i = index; i < lineCountedTo; i++) {
            line -= source.charAt(i) == '\n' ? 1 : 0;
        }
        lineCountedTo = index;
        return line;
    }
}
