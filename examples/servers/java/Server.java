import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;

/** The chat protocol on nothing but the Java platform: two threads for every connection. */
final class Server {
    private static final String PATH = "/v1/socket";
    private static final int MAX_MESSAGE = 65_536; // bytes
    private static final int HANDSHAKE_TIMEOUT = 10_000; // ms
    private static final int GOING_AWAY = 1001;
    private static final long STOP_GRACE = 2_000; // ms

    static final long HEARTBEAT_INTERVAL = milliseconds("HEARTBEAT_INTERVAL", "30");
    static final long HEARTBEAT_TIMEOUT = milliseconds("HEARTBEAT_TIMEOUT", "10");

    /** Heartbeats and deadlines; what runs here only puts into queues and never waits for a peer. */
    static final ScheduledExecutorService CLOCK = clock();

    private final Chat chat = new Chat();
    private final Set<Session> sessions = ConcurrentHashMap.newKeySet();

    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(setting("PORT", "8765"));
        ServerSocket listener = new ServerSocket(port, 512, InetAddress.getByName("127.0.0.1"));
        Server server = new Server();
        Runtime.getRuntime().addShutdownHook(new Thread(server::stop));
        System.out.println("listening on ws://127.0.0.1:" + listener.getLocalPort() + PATH);
        while (true) {
            Socket socket = listener.accept();
            daemon(() -> server.serve(socket)).start();
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(HANDSHAKE_TIMEOUT);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            Chat.User user;
            try {
                Handshake handshake = Handshake.read(in);
                user = admit(handshake);
                handshake.accept(socket.getOutputStream());
            } catch (Handshake.Refused refused) {
                refused.answer(socket.getOutputStream());
                return;
            }
            socket.setSoTimeout(0); // from here on the heartbeat watches
            Session session = new Session(user, chat, new WebSocket(socket, in, MAX_MESSAGE));
            sessions.add(session);
            try {
                session.run();
            } finally {
                sessions.remove(session);
            }
        } catch (IOException gone) {
            // the peer vanished before it was anybody
        }
    }

    /** Judges the token before the path, so that strangers learn nothing about other paths. */
    private static Chat.User admit(Handshake handshake) throws Handshake.Refused {
        boolean found = handshake.path.equals(PATH);
        if (!handshake.isWebSocket()) {
            if (!found) throw new Handshake.Refused("404 Not Found");
            throw new Handshake.Refused("426 Upgrade Required", "Upgrade: websocket\r\n");
        }
        Chat.User user = Chat.authenticate(handshake.token());
        if (user == null) throw new Handshake.Refused("401 Unauthorized", "WWW-Authenticate: Bearer\r\n");
        if (!found) throw new Handshake.Refused("404 Not Found");
        return user;
    }

    private void stop() {
        sessions.forEach(session -> session.close(GOING_AWAY, "server stopping"));
        long end = System.nanoTime() + STOP_GRACE * 1_000_000;
        try {
            while (!sessions.isEmpty() && System.nanoTime() < end) Thread.sleep(10);
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
        }
    }

    private static ScheduledExecutorService clock() {
        ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1, Server::daemon);
        clock.setRemoveOnCancelPolicy(true); // or every answered ping would stay until its deadline
        return clock;
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        return thread;
    }

    private static long milliseconds(String name, String seconds) {
        return Math.round(Double.parseDouble(setting(name, seconds)) * 1000);
    }

    private static String setting(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }
}
