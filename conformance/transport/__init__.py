"""Sockets and what goes over them: the handshake, frames, TLS, proxies, and their bounds."""
