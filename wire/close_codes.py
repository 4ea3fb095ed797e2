"""Close codes, and what a close frame may hold (RFC 6455 §5.5.1, §7.4)."""

from websockets.frames import CloseCode

__all__ = ["CloseCode", "code_of", "is_legal_code", "is_legal_payload"]

_RESERVED = frozenset({1004, CloseCode.NO_STATUS_RCVD, CloseCode.ABNORMAL_CLOSURE, CloseCode.TLS_HANDSHAKE})
"""Codes that stand for something else than a close frame, or have no meaning yet (§7.4.1)."""


def is_legal_code(code: int) -> bool:
    """Whether a close frame may hold this code (RFC 6455 §7.4.1, §7.4.2).

    Besides those that the RFC defines, these are 1012 to 1014, which IANA has registered since, and 3000 to 4999,
    which are the libraries' and the applications' own.
    """
    return (1000 <= code <= 1014 or 3000 <= code <= 4999) and code not in _RESERVED


def code_of(payload: bytes) -> int | None:
    """The code that a close frame holds, legal or not; None if it has none."""
    return int.from_bytes(payload[:2], "big") if len(payload) >= 2 else None


def is_legal_payload(payload: bytes) -> bool:
    """Whether a close frame may hold this: nothing, or a legal code and a reason in UTF-8 (RFC 6455 §5.5.1)."""
    code = code_of(payload)
    if code is None:
        return not payload
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        return False
    return is_legal_code(code)
