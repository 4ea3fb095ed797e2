import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** The opening handshake (RFC 6455 §4.2): an HTTP request, read and answered. */
final class Handshake {
    private static final int MAX_HEAD = 16_384; // bytes
    private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /** Answers instead of an upgrade. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1;
        final String status;
        final String header;

        Refused(String status) {
            this(status, "");
        }

        Refused(String status, String header) {
            super(status);
            this.status = status;
            this.header = header;
        }

        void answer(OutputStream out) throws IOException {
            String body = status + "\n";
            out.write(ascii("HTTP/1.1 " + status + "\r\n" + header + "Connection: close\r\n"
                + "Content-Type: text/plain\r\nContent-Length: " + body.length() + "\r\n\r\n" + body));
        }
    }

    final String path;
    private final String query;
    private final String method;
    private final Map<String, String> headers = new HashMap<>();

    private Handshake(String head) throws Refused {
        String[] lines = head.split("\r\n");
        String[] request = lines[0].split(" ", -1);
        if (request.length != 3 || !request[2].equals("HTTP/1.1")) throw new Refused("400 Bad Request");
        method = request[0];
        String[] target = request[1].split("\\?", 2);
        path = target[0];
        query = target.length > 1 ? target[1] : "";
        for (String line : Arrays.asList(lines).subList(1, lines.length)) {
            String[] field = line.split(":", 2);
            if (field.length != 2) throw new Refused("400 Bad Request");
            headers.merge(field[0].toLowerCase(Locale.ROOT), field[1].strip(), (one, two) -> one + ", " + two);
        }
    }

    /** Reads a request up to its empty line; what follows stays in the stream. */
    static Handshake read(InputStream in) throws IOException, Refused {
        StringBuilder head = new StringBuilder();
        while (head.length() < 4 || head.indexOf("\r\n\r\n", head.length() - 4) < 0) {
            int octet = in.read();
            if (octet < 0) throw new EOFException();
            if (head.length() == MAX_HEAD) throw new Refused("431 Request Header Fields Too Large");
            head.append((char) octet);
        }
        return new Handshake(head.toString());
    }

    boolean isWebSocket() {
        return method.equals("GET") && lists("connection", "upgrade") && lists("upgrade", "websocket");
    }

    /** The token of the query; an empty string where there is none. */
    String token() {
        for (String pair : query.split("&")) {
            String[] parts = pair.split("=", 2);
            try {
                if (parts.length == 2 && parts[0].equals("access_token")) {
                    return URLDecoder.decode(parts[1], StandardCharsets.UTF_8);
                }
            } catch (IllegalArgumentException badEscape) {
                return "";
            }
        }
        return "";
    }

    /** Accepts, naming neither extension nor subprotocol: this server has none. */
    void accept(OutputStream out) throws IOException, Refused {
        if (!header("sec-websocket-version").equals("13")) {
            throw new Refused("426 Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
        }
        String key = header("sec-websocket-key");
        if (header("host").isEmpty() || !isKey(key)) throw new Refused("400 Bad Request");
        out.write(ascii("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: " + digest(key + GUID) + "\r\n\r\n"));
    }

    private static boolean isKey(String key) {
        try {
            return Base64.getDecoder().decode(key).length == 16;
        } catch (IllegalArgumentException notBase64) {
            return false;
        }
    }

    private static String digest(String text) {
        try {
            return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-1").digest(ascii(text)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible); // every Java platform has SHA-1
        }
    }

    private String header(String name) {
        return headers.getOrDefault(name, "");
    }

    private boolean lists(String name, String token) {
        return Arrays.stream(header(name).split(",")).anyMatch(part -> part.strip().equalsIgnoreCase(token));
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
