"""RFC 6455 §7.4: which codes may stand in a close frame."""

import pytest

from wire.close_codes import code_of, is_legal_code, is_legal_payload

LEGAL = (1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999)
ILLEGAL = (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535)


@pytest.mark.parametrize(("code", "legal"), [(one, True) for one in LEGAL] + [(one, False) for one in ILLEGAL])
def test_codes(code: int, legal: bool) -> None:
    assert is_legal_code(code) is legal
    assert is_legal_payload(code.to_bytes(2, "big") + "é".encode()) is legal


@pytest.mark.parametrize(
    ("payload", "code", "legal"),
    [
        (b"", None, True),
        (b"\x03", None, False),
        (b"\x03\xe8", 1000, True),
        (b"\x03\xe8\xff", 1000, False),
        (b"\x03\xe8\xc3", 1000, False),
    ],
)
def test_payloads(payload: bytes, code: int | None, legal: bool) -> None:
    assert (code_of(payload), is_legal_payload(payload)) == (code, legal)
