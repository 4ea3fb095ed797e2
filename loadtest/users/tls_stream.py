"""TLS over a non-blocking socket, as sans-I/O: the interpreter's own TLS sockets are patched inside Locust."""

import _socket
import ssl

READ_BYTES = 65_536


class TlsSocket:
    """Looks like a non-blocking socket: `recv` and `send` raise BlockingIOError, and OSError where TLS fails."""

    def __init__(self, raw: _socket.SocketType, context: ssl.SSLContext, host: str) -> None:
        self.raw = raw
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._backlog = b""

    @property
    def unsent(self) -> bool:
        """Whether encrypted bytes wait for the socket to take them."""
        return bool(self._backlog)

    def flush(self) -> None:
        """Write what is encrypted, as far as the socket takes it."""
        self._backlog += self._outgoing.read()
        while self._backlog:
            try:
                sent = self.raw.send(self._backlog)
            except BlockingIOError:
                return
            self._backlog = self._backlog[sent:]

    def handshake(self) -> bool:
        """Go on with the handshake; whether it is complete. Raises OSError where it fails."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self.flush()
                try:
                    self._take()
                except BlockingIOError:
                    return False
                continue
            self.flush()
            return True

    def _take(self) -> None:
        data = self.raw.recv(READ_BYTES)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def recv(self, size: int) -> bytes:
        """Decrypted bytes; none at the end of the connection."""
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                self._take()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            finally:
                self.flush()

    def send(self, data: bytes) -> int:
        """Encrypt all of it, and write what the socket takes."""
        self._tls.write(data)
        self.flush()
        return len(data)

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self.raw.fileno()

    def getsockopt(self, level: int, name: int) -> int:
        """As a socket's."""
        return self.raw.getsockopt(level, name)

    def setsockopt(self, level: int, name: int, value: int | bytes) -> None:
        """As a socket's."""
        self.raw.setsockopt(level, name, value)

    def close(self) -> None:
        """Close the socket without any farewell of TLS's own; the WebSocket had one."""
        self.raw.close()
