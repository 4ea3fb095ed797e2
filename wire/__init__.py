"""Layer 0: WebSocket on the wire (RFC 6455, RFC 7692), for both sides. Knows no socket and no contract."""
