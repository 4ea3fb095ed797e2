"""URLs as they go over the wire."""

import pytest

from conformance.play.handshakes import authorised
from conformance.transport.urls import ascii_url
from tests.bundled import load_profile


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("ws://example.com", "ws://example.com"),
        ("ws://example.com/a%20b?q=%2f+%zz&[x]", "ws://example.com/a%20b?q=%2f+%zz&[x]"),
        ("ws://example.com/a%20b?name=日本", "ws://example.com/a%20b?name=%E6%97%A5%E6%9C%AC"),
        ("wss://example.com:8443/部屋/%E9?room=a%20b", "wss://example.com:8443/%E9%83%A8%E5%B1%8B/%E9?room=a%20b"),
        ("ws://日本語.jp:81?q=é", "ws://xn--wgv71a119e.jp:81?q=%C3%A9"),
        ("ws://Bücher.example/x", "ws://xn--bcher-kva.example/x"),
        ("ws://[::1]:80/é", "ws://[::1]:80/%C3%A9"),
    ],
)
def test_what_was_written_stays(given: str, sent: str) -> None:
    assert ascii_url(given) == sent


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ws://faß.example/", "faß.example is ambiguous"),
        (f"ws://{'é' * 70}.example/", "is not a valid host name"),
        ("ws://example.com:99999/", "[Pp]ort"),
    ],
)
def test_no_such_host_or_port(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ascii_url(url)


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/p", "/p?access_token=a%26b%20c"),
        ("/p?room=a%20b+c&x", "/p?room=a%20b+c&x&access_token=a%26b%20c"),
        ("/p?name=%E9%zz", "/p?name=%E9%zz&access_token=a%26b%20c"),
        ("/p?", "/p?access_token=a%26b%20c"),
    ],
)
def test_a_token_beside_a_query(target: str, sent: str) -> None:
    assert authorised(load_profile(), target, "a&b c")[0] == sent
