import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** One client's connection, from the ack on: checks, heartbeat, sequence. */
final class Session implements WebSocket.Listener {
    private static final int UNSUPPORTED_DATA = 1003, TOKEN_EXPIRED = 4401, HEARTBEAT_TIMEOUT = 4408;
    private static final int MAX_CHANNEL_ID = 128, MAX_TEXT = 4_096; // code points

    final Chat.User user;
    private final Chat chat;
    private final WebSocket socket;
    private final List<Future<?>> timers = new ArrayList<>();
    private Future<?> pongDeadline;
    private long sequence;

    Session(Chat.User user, Chat chat, WebSocket socket) {
        this.user = user;
        this.chat = chat;
        this.socket = socket;
    }

    /** Serves the connection until it ends. */
    void run() {
        send("connection_ack", Json.object("sessionId", UUID.randomUUID().toString()));
        long interval = Server.HEARTBEAT_INTERVAL;
        timers.add(Server.CLOCK.scheduleAtFixedRate(this::ping, interval, interval, TimeUnit.MILLISECONDS));
        if (user.lifetime() > 0) timers.add(closeAfter(user.lifetime(), TOKEN_EXPIRED, "token expired"));
        try {
            socket.run(this);
        } finally {
            timers.forEach(timer -> timer.cancel(false));
            pong();
            chat.leave(this);
        }
    }

    /** Numbers and sends in one step, so that the numbers are in order on the wire. */
    synchronized void send(String event, Map<String, Object> payload) {
        socket.send(Json.write(Json.object("sequence", ++sequence, "event", event, "payload", payload)));
    }

    void close(int code, String reason) {
        socket.close(code, reason);
    }

    private Future<?> closeAfter(long milliseconds, int code, String reason) {
        return Server.CLOCK.schedule(() -> close(code, reason), milliseconds, TimeUnit.MILLISECONDS);
    }

    private synchronized void ping() {
        send("ping", Map.of());
        if (pongDeadline == null) { // the oldest unanswered ping counts
            pongDeadline = closeAfter(Server.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT, "no pong");
        }
    }

    private synchronized void pong() {
        if (pongDeadline != null) pongDeadline.cancel(false);
        pongDeadline = null;
    }

    @Override
    public void binary() {
        close(UNSUPPORTED_DATA, "text only");
    }

    @Override
    public void text(String text) {
        try {
            handle(text);
        } catch (Chat.Mistake mistake) {
            send("error", Json.object(
                "originalEvent", mistake.event, "message", mistake.getMessage(), "code", mistake.code));
        }
    }

    /** The checks come in the protocol's order: JSON, envelope, event name, payload, state. */
    private void handle(String text) throws Chat.Mistake {
        Map<?, ?> message = readEnvelope(text);
        String event = (String) message.get("event");
        Map<?, ?> payload = (Map<?, ?>) message.get("payload");
        switch (event) {
            case "pong" -> pong();
            case "join_channel" -> chat.join(this, member(payload, "channelId", MAX_CHANNEL_ID, event));
            case "send_message" -> {
                String channel = member(payload, "channelId", MAX_CHANNEL_ID, event);
                chat.post(this, channel, member(payload, "text", MAX_TEXT, event));
            }
            default -> throw new Chat.Mistake("UNKNOWN_EVENT", "clients do not send this event", event);
        }
    }

    private static Map<?, ?> readEnvelope(String text) throws Chat.Mistake {
        Object value;
        try {
            value = Json.parse(text);
        } catch (Json.SyntaxError error) {
            throw new Chat.Mistake("INVALID_JSON", error.getMessage(), null);
        }
        if (!(value instanceof Map<?, ?> message)) {
            throw new Chat.Mistake("INVALID_MESSAGE", "not an object", null);
        }
        if (!(message.get("event") instanceof String event)) {
            throw new Chat.Mistake("INVALID_MESSAGE", "event is missing or no string", null);
        }
        if (!(message.get("payload") instanceof Map)) {
            throw new Chat.Mistake("INVALID_MESSAGE", "payload is missing or no object", event);
        }
        boolean numbered = message.get("sequence") instanceof Json.Num number && number.isInteger();
        if (message.containsKey("sequence") && !numbered) {
            throw new Chat.Mistake("INVALID_MESSAGE", "sequence is no integer", event);
        }
        return message;
    }

    private static String member(Map<?, ?> payload, String name, int longest, String event) throws Chat.Mistake {
        if (payload.get(name) instanceof String text && !text.isEmpty()
            && text.codePointCount(0, text.length()) <= longest) {
            return text;
        }
        throw new Chat.Mistake("INVALID_PAYLOAD", name + " must be a string of 1 to " + longest + " characters", event);
    }
}
