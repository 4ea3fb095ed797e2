import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Users and channels. Its lock makes every member of a channel see the same order of posts. */
final class Chat {
    /** `lifetime`: milliseconds from connecting, 0 for ever. */
    record User(String id, String name, long lifetime) { }

    /** A client's mistake, answered with `error`; `event` is null where it could not be read. */
    static final class Mistake extends Exception {
        private static final long serialVersionUID = 1;
        final String code;
        final String event;

        Mistake(String code, String message, String event) {
            super(message);
            this.code = code;
            this.event = event;
        }
    }

    private static final User CAROL = new User("user-003", "Carol", 0);
    private static final Map<String, User> USERS = Map.of(
        "alice-token", new User("user-001", "Taro Yamada", 0),
        "bob-token", new User("user-002", "Hanako Suzuki", 0),
        "carol-token", CAROL,
        "expiring-token", new User("user-004", "Passer-by", 2_000));
    private static final Pattern LOAD_TOKEN = Pattern.compile("load-([0-9]{1,9})");

    private final Map<String, Set<Session>> members = new HashMap<>();
    private Instant lastPost = Instant.EPOCH;

    /** Returns null where the token is missing, invalid or expired. */
    static User authenticate(String token) {
        Matcher load = LOAD_TOKEN.matcher(token);
        return load.matches() ? new User("user-" + token, "Load " + load.group(1), 0) : USERS.get(token);
    }

    synchronized void join(Session session, String channel) throws Mistake {
        checkPermission(session, channel, "join_channel");
        if (channel.startsWith("missing-")) {
            throw new Mistake("CHANNEL_NOT_FOUND", "there is no such channel", "join_channel");
        }
        members.computeIfAbsent(channel, name -> new LinkedHashSet<>()).add(session);
    }

    synchronized void post(Session session, String channel, String text) throws Mistake {
        checkPermission(session, channel, "send_message");
        Set<Session> receivers = members.getOrDefault(channel, Set.of());
        if (!receivers.contains(session)) {
            throw new Mistake("NOT_JOINED", "you have not joined this channel", "send_message");
        }
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        if (now.isAfter(lastPost)) lastPost = now; // the system's clock may be set back
        Map<String, Object> message = Json.object(
            "id", UUID.randomUUID().toString(),
            "timestamp", lastPost.toString(),
            "text", text,
            "author", Json.object("id", session.user.id(), "name", session.user.name()));
        for (Session receiver : receivers) {
            receiver.send("new_message", Json.object("message", message, "channelId", channel));
        }
    }

    synchronized void leave(Session session) {
        members.values().forEach(sessions -> sessions.remove(session));
        members.values().removeIf(Set::isEmpty);
    }

    private static void checkPermission(Session session, String channel, String event) throws Mistake {
        if (channel.equals("channel-private") && !session.user.equals(CAROL)) {
            throw new Mistake("PERMISSION_DENIED", "this channel is not open to you", event);
        }
    }
}
