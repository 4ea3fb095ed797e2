import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The frames of RFC 6455 §5 over a socket: one thread reads, another writes. */
final class WebSocket {
    /** Who gets the messages, all on the reading thread. */
    interface Listener {
        void text(String text);

        void binary();
    }

    /** Fails the connection (RFC 6455 §7.1.7). */
    private static final class Failure extends Exception {
        private static final long serialVersionUID = 1;
        final int code;

        Failure(int code, String reason) {
            super(reason);
            this.code = code;
        }
    }

    private record Frame(boolean fin, int opcode, byte[] payload) {
        byte[] encoded() {
            int length = payload.length;
            ByteBuffer frame = ByteBuffer.allocate(length + 10);
            frame.put((byte) (0x80 | opcode));
            if (length < 126) frame.put((byte) length);
            else if (length < 65_536) frame.put((byte) 126).putShort((short) length);
            else frame.put((byte) 127).putLong(length);
            frame.put(payload);
            byte[] bytes = new byte[frame.position()];
            frame.flip().get(bytes);
            return bytes;
        }
    }

    private static final int CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;
    private static final int PROTOCOL_ERROR = 1002, INVALID_UTF8 = 1007, TOO_LARGE = 1009;
    private static final int NO_CODE = 1005; // "there was none"; never on the wire
    private static final int MAX_WAITING_FRAMES = 4_096;
    private static final int GRACE = 2_000; // ms for a peer to answer a close frame and end the TCP connection

    private final Socket socket;
    private final DataInputStream in;
    private final int maxMessage;
    private final BlockingQueue<Frame> outbox = new LinkedBlockingQueue<>(MAX_WAITING_FRAMES);
    private final Thread writer = new Thread(this::write);
    private boolean closing;

    WebSocket(Socket socket, InputStream in, int maxMessage) {
        this.socket = socket;
        this.in = new DataInputStream(in);
        this.maxMessage = maxMessage;
        writer.setDaemon(true);
        writer.start();
    }

    synchronized void send(String text) {
        if (!closing) enqueue(new Frame(true, TEXT, text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Sends a close frame behind everything that waits; a second call does nothing. */
    synchronized void close(int code, String reason) {
        if (closing) return;
        closing = true;
        byte[] text = reason.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer payload = ByteBuffer.allocate(code == NO_CODE ? 0 : 2 + text.length);
        if (code != NO_CODE) payload.putShort((short) code).put(text);
        enqueue(new Frame(true, CLOSE, payload.array()));
        Server.CLOCK.schedule(this::abort, GRACE, TimeUnit.MILLISECONDS);
    }

    synchronized boolean isClosing() {
        return closing;
    }

    private synchronized void enqueue(Frame frame) {
        if (!outbox.offer(frame)) abort(); // the peer has stopped reading
    }

    private void abort() {
        try {
            socket.close();
        } catch (IOException alreadyGone) {
            // nothing is left to close
        }
        writer.interrupt();
    }

    private void write() {
        try {
            OutputStream out = socket.getOutputStream();
            Frame frame;
            do {
                frame = outbox.take();
                out.write(frame.encoded());
            } while (frame.opcode != CLOSE);
        } catch (IOException | InterruptedException gone) {
            abort();
        }
    }

    /** Reads until the connection has ended, whoever ends it. */
    void run(Listener listener) {
        try {
            try {
                readMessages(listener);
            } catch (Failure failure) {
                close(failure.code, failure.getMessage());
            }
            writer.join(GRACE);
            drain();
        } catch (IOException | InterruptedException gone) {
            // the peer vanished
        } finally {
            abort();
        }
    }

    /** Ends our half and waits for the other: closing over unread bytes would reset, and lose the close frame. */
    private void drain() throws IOException {
        socket.setSoTimeout(GRACE);
        socket.shutdownOutput();
        byte[] ignored = new byte[8192];
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(GRACE);
        while (in.read(ignored) >= 0 && System.nanoTime() < end) continue;
    }

    private void readMessages(Listener listener) throws IOException, Failure {
        int type = CONTINUATION; // of the message under way, which CONTINUATION stands for none of
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        while (true) {
            Frame frame = readFrame(message.size());
            switch (frame.opcode) {
                case PING -> {
                    if (!isClosing()) enqueue(new Frame(true, PONG, frame.payload));
                }
                case PONG -> { } // nobody has asked for it
                case CLOSE -> {
                    close(closeCode(frame.payload), "");
                    return;
                }
                default -> {
                    if ((frame.opcode == CONTINUATION) == (type == CONTINUATION)) {
                        throw new Failure(PROTOCOL_ERROR, "fragments out of order"); // §5.4
                    }
                    if (type == CONTINUATION) type = frame.opcode;
                    message.write(frame.payload);
                    if (frame.fin) {
                        deliver(type, message.toByteArray(), listener);
                        type = CONTINUATION;
                        message.reset();
                    }
                }
            }
        }
    }

    private void deliver(int type, byte[] message, Listener listener) throws Failure {
        if (type == BINARY) {
            listener.binary();
            return;
        }
        String text = decode(message);
        if (!isClosing()) listener.text(text);
    }

    /** Reads one frame of a message that has `begun` bytes already. */
    private Frame readFrame(int begun) throws IOException, Failure {
        int first = in.readUnsignedByte();
        int second = in.readUnsignedByte();
        boolean fin = (first & 0x80) != 0;
        int opcode = first & 0x0f;
        if ((first & 0x70) != 0) throw new Failure(PROTOCOL_ERROR, "reserved bits"); // §5.2
        if (opcode > BINARY && opcode < CLOSE || opcode > PONG) {
            throw new Failure(PROTOCOL_ERROR, "reserved opcode"); // §5.2
        }
        if ((second & 0x80) == 0) throw new Failure(PROTOCOL_ERROR, "unmasked frame"); // §5.1
        if (opcode >= CLOSE && (!fin || (second & 0x7f) > 125)) {
            throw new Failure(PROTOCOL_ERROR, "control frames are short and whole"); // §5.5
        }
        long length = readLength(second & 0x7f);
        if (opcode < CLOSE && begun + length > maxMessage) throw new Failure(TOO_LARGE, "message too large");

        byte[] mask = in.readNBytes(4);
        byte[] payload = new byte[(int) length];
        in.readFully(payload);
        for (int i = 0; i < payload.length; i++) payload[i] ^= mask[i & 3]; // §5.3
        return new Frame(fin, opcode, payload);
    }

    private long readLength(int field) throws IOException, Failure {
        if (field < 126) return field;
        long length = field == 126 ? in.readUnsignedShort() : in.readLong();
        if (length < (field == 126 ? 126 : 65_536)) { // negative: the highest bit was set
            throw new Failure(PROTOCOL_ERROR, "length not in its shortest form"); // §5.2
        }
        return length;
    }

    private static String decode(byte[] utf8) throws Failure {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
        } catch (CharacterCodingException malformed) {
            throw new Failure(INVALID_UTF8, "invalid UTF-8"); // §8.1
        }
    }

    /** The code to answer a close frame with: its own. */
    private static int closeCode(byte[] payload) throws Failure {
        if (payload.length == 0) return NO_CODE;
        if (payload.length == 1) throw new Failure(PROTOCOL_ERROR, "half a close code"); // §5.5.1
        int code = ByteBuffer.wrap(payload).getShort() & 0xffff;
        boolean defined = code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
        if (!defined && (code < 3000 || code > 4999)) throw new Failure(PROTOCOL_ERROR, "illegal close code"); // §7.4
        decode(Arrays.copyOfRange(payload, 2, payload.length));
        return code;
    }
}
