"""Close codes (RFC 6455 §7.4)."""

ILLEGAL_CLOSE_CODES = frozenset({1004, 1005, 1006, 1015})


def is_legal_close_code(code: int) -> bool:
    """Whether a code may stand on the wire (CLOSE-02; RFC 6455 §7.4, IANA's 1012–1014)."""
    return (1000 <= code <= 1014 or 3000 <= code <= 4999) and code not in ILLEGAL_CLOSE_CODES
