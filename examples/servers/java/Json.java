import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Strict JSON (RFC 8259), as far as a chat needs it. */
final class Json {
    /** Deeper nesting is refused: it would only exhaust the stack. */
    private static final int MAX_DEPTH = 500;

    /** A number stays as it was written, so that 1 and 1.0 differ and nothing overflows. */
    record Num(String literal) {
        boolean isInteger() {
            return literal.chars().allMatch(c -> c == '-' || isDigit(c));
        }
    }

    static final class SyntaxError extends Exception {
        private static final long serialVersionUID = 1;

        SyntaxError(String message, int position) {
            super(message + " at character " + position);
        }
    }

    private final String text;
    private int position;

    private Json(String text) {
        this.text = text;
    }

    /** Returns a Map, List, String, Num, Boolean or null. */
    static Object parse(String text) throws SyntaxError {
        Json parser = new Json(text);
        Object value = parser.value(0);
        parser.skipSpace();
        if (parser.position < text.length()) throw parser.error("unexpected text after the value");
        return value;
    }

    private Object value(int depth) throws SyntaxError {
        if (depth > MAX_DEPTH) throw error("nested too deeply");
        skipSpace();
        switch (peek()) {
            case '{': return object(depth);
            case '[': return array(depth);
            case '"': return string();
            case 't': return word("true", Boolean.TRUE);
            case 'f': return word("false", Boolean.FALSE);
            case 'n': return word("null", null);
            default: return number();
        }
    }

    private Map<String, Object> object(int depth) throws SyntaxError {
        Map<String, Object> members = new LinkedHashMap<>();
        expect('{');
        skipSpace();
        if (take('}')) return members;
        do {
            skipSpace();
            String name = string();
            skipSpace();
            expect(':');
            members.put(name, value(depth + 1));
            skipSpace();
        } while (take(','));
        expect('}');
        return members;
    }

    private List<Object> array(int depth) throws SyntaxError {
        List<Object> items = new ArrayList<>();
        expect('[');
        skipSpace();
        if (take(']')) return items;
        do {
            items.add(value(depth + 1));
            skipSpace();
        } while (take(','));
        expect(']');
        return items;
    }

    private String string() throws SyntaxError {
        StringBuilder result = new StringBuilder();
        expect('"');
        while (!take('"')) {
            char c = next();
            if (c < ' ') throw error("unescaped control character");
            result.append(c == '\\' ? escape() : c);
        }
        return result.toString();
    }

    private char escape() throws SyntaxError {
        char c = next();
        switch (c) {
            case '"': case '\\': case '/': return c;
            case 'b': return '\b';
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'u': return hexadecimal();
            default: throw error("unknown escape");
        }
    }

    private char hexadecimal() throws SyntaxError {
        int unit = 0;
        for (int i = 0; i < 4; i++) {
            char c = next();
            int digit = c < 128 ? Character.digit(c, 16) : -1; // there are digits beyond ASCII
            if (digit < 0) throw error("bad \\u escape");
            unit = unit * 16 + digit;
        }
        return (char) unit;
    }

    private Num number() throws SyntaxError {
        int start = position;
        take('-');
        if (!take('0')) digits();
        if (take('.')) digits();
        if (take('e') || take('E')) {
            if (!take('+')) take('-');
            digits();
        }
        return new Num(text.substring(start, position));
    }

    private void digits() throws SyntaxError {
        if (!isDigit(peek())) throw error("unexpected character");
        while (isDigit(peek())) position++;
    }

    private Object word(String word, Object value) throws SyntaxError {
        if (!text.startsWith(word, position)) throw error("unexpected word");
        position += word.length();
        return value;
    }

    private void skipSpace() {
        while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') position++;
    }

    /** The character to come; U+FFFF, which nothing here looks for, where there is none. */
    private char peek() {
        return position < text.length() ? text.charAt(position) : '\uffff';
    }

    private char next() throws SyntaxError {
        if (position == text.length()) throw error("unexpected end");
        return text.charAt(position++);
    }

    private boolean take(char c) {
        boolean found = position < text.length() && text.charAt(position) == c;
        if (found) position++;
        return found;
    }

    private void expect(char c) throws SyntaxError {
        if (!take(c)) throw error("expected " + c);
    }

    private SyntaxError error(String message) {
        return new SyntaxError(message, position);
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    /** A JSON object out of names and values in turn; a null value leaves its member out. */
    static Map<String, Object> object(Object... namesAndValues) {
        Map<String, Object> members = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            if (namesAndValues[i + 1] != null) members.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return members;
    }

    /** Writes Maps, Strings and Longs, in ASCII: whatever lies beyond becomes an escape. */
    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        if (value instanceof Map<?, ?> members) {
            String separator = "{";
            for (Map.Entry<?, ?> member : members.entrySet()) {
                out.append(separator);
                write(member.getKey(), out);
                out.append(':');
                write(member.getValue(), out);
                separator = ",";
            }
            out.append(members.isEmpty() ? "{}" : "}");
        } else if (value instanceof String string) {
            writeString(string, out);
        } else {
            out.append((long) (Long) value);
        }
    }

    private static void writeString(String string, StringBuilder out) {
        out.append('"');
        for (char c : string.toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c >= ' ' && c < 127) out.append(c);
            else writeEscape(c, out);
        }
        out.append('"');
    }

    private static void writeEscape(char c, StringBuilder out) {
        out.append("\\u");
        for (int shift = 12; shift >= 0; shift -= 4) out.append("0123456789ABCDEF".charAt(c >> shift & 15));
    }
}
