"""The server without sockets and without a chat: messages, encoding, the handshake, hooks."""
