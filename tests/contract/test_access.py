"""What stands before a server, as the profile says it: what is read, and what is refused without being shown."""

import os
from pathlib import Path

import pytest

from contract.access import MAX_VALUE_CHARACTERS, Access
from contract.choices import Auth
from contract.errors import ContractError
from contract.overrides import anywhere
from contract.profile import Profile
from tests.bundled import load_profile

ENVIRON = {"KEY": "hidden-key", "BROKEN": "hidden-key\n", "UMLAUT": "hidden-schlüssel"}


def loaded(tmp_path: Path, text: str) -> Profile:
    path = tmp_path / "wsproof.yaml"
    path.write_text(text, encoding="utf-8")
    return load_profile(path, None, ENVIRON)


def refused(tmp_path: Path, text: str) -> str:
    """What the error says, without the file's name."""
    with pytest.raises(ContractError) as caught:
        loaded(tmp_path, text)
    assert "hidden" not in str(caught.value)
    return str(caught.value).removeprefix(f"{tmp_path / 'wsproof.yaml'}:")


def test_nothing_stands_there_by_default() -> None:
    assert load_profile().access == Access()


def test_all_of_it(tmp_path: Path) -> None:
    text = """\
headers: {X-Api-Key: "${KEY}", X-Env: staging}
cookies: {region: eu, gate: abc=}
basic: {user: ci, password: "p:${KEY}"}
subprotocols: [chat.v1, chat.v2]
"""
    access = loaded(tmp_path, text).access
    assert access.headers == (("X-Api-Key", "hidden-key"), ("X-Env", "staging"))
    assert access.cookies == (("region", "eu"), ("gate", "abc="))
    assert access.basic == "ci:p:hidden-key"
    assert access.subprotocols == ("chat.v1", "chat.v2")
    assert "hidden" not in repr(access)


def test_what_could_stand_anywhere_by_chance_is_not_searched_for(tmp_path: Path) -> None:
    """A cookie of one character must not mask half a report."""
    text = "headers: {X-Api-Key: hidden-key, X-Debug: '1'}\ncookies: {a: b}\nbasic: {user: ci, password: hidden}"
    secrets = loaded(tmp_path, text).secrets()
    assert {"hidden-key", "ci:hidden", "hidden"} <= set(secrets)
    assert not {"1", "b", "ci"} & set(secrets)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "headers:\n  X-Key: 5\n",
            "2:3: headers.X-Key: expected a string, or a command that prints it, such as {command:",
        ),
        ("headers:\n  X-Key: ''\n", "2:3: headers.X-Key: expected at least 1 character; got 0"),
        ("headers:\n  'X Key': v\n", "2:3: headers: expected a name"),
        (
            "headers:\n  X: ${BROKEN}\n",
            "2:3: headers: X contains a line break; does the variable's value end with one?",
        ),
        ("headers:\n  X: ${UMLAUT}\n", "2:3: headers: X contains characters other than visible ASCII"),
        ("headers:\n  X: 'a '\n", "2:3: headers: X contains characters other than visible ASCII, or leading"),
        ("headers:\n  sec-websocket-key: v\n", "2:3: headers: sec-websocket-key is set by the handshake itself"),
        ("headers:\n  Connection: v\n", "2:3: headers: Connection is set by the handshake itself"),
        ("headers:\n  Content-Length: '0'\n", "2:3: headers: Content-Length is set by the handshake itself"),
        (
            "headers:\n  Sec-WebSocket-Protocol: v\n",
            "2:3: headers: Sec-WebSocket-Protocol has its own setting: sub",
        ),
        ("headers:\n  Cookie: a=b\n", "2:3: headers: Cookie has its own setting: cookies"),
        ("headers:\n  origin: http://x\n", "2:3: headers: origin has its own setting: origin"),
        ("headers:\n  X: a\n  x: b\n", "2:3: headers: X and headers: x both set the x header"),
        (
            "headers:\n  Authorization: hidden\nbasic: {user: u, password: hidden}\n",
            "headers: Authorization and basic both",
        ),
        ("auth: {in: header}\nbasic: {user: u, password: hidden}\n", "2:1: basic and auth both set the Auth"),
        (
            "auth: {in: header, name: x-a}\nheaders:\n  X-A: hidden\n",
            "3:3: headers: X-A and auth both set the x-a header",
        ),
        ("cookies:\n  a: hidden;b\n", "2:3: cookies: a contains a character that is not allowed: ';'"),
        (
            "basic: {user: 'a:b', password: hidden}\n",
            "1:9: basic.user: expected a user's name without a colon; got a string",
        ),
        ("basic: {user: u}\n", "1:1: basic: expected the member 'password'"),
        ("subprotocols: ['a b']\n", "1:16: subprotocols[0]: expected a name"),
        ("proxy: 5\n", "1:1: proxy: expected"),
        ("tls: {cert: c, key_password: 5}\n", "1:16: tls.key_password: expected a string"),
        (
            "users:\n  alice: {token: 12345}\n",
            "2:11: users.alice.token: expected a string",
        ),
    ],
)
def test_what_cannot_travel_is_refused(tmp_path: Path, text: str, message: str) -> None:
    found = refused(tmp_path, text)
    assert message in found
    assert "12345" not in found


def test_a_value_is_bounded(tmp_path: Path) -> None:
    value = "x" * MAX_VALUE_CHARACTERS
    assert loaded(tmp_path, f"headers: {{X: {value}}}").access.headers == (("X", value),)
    assert "headers.X: expected at most 8192 characters; got 8193" in refused(tmp_path, f"headers: {{X: {value}x}}")


@pytest.mark.parametrize(
    ("where", "auth"),
    [
        ("header", Auth("header", "Authorization")),
        ("subprotocol", Auth("subprotocol", "access_token")),
        ("cookie", Auth("cookie", "session")),
        ("basic", Auth("basic", "Authorization")),
    ],
)
def test_a_token_with_a_line_break_cannot_travel_there(tmp_path: Path, where: str, auth: Auth) -> None:
    """A secret that a CI hands over often ends with one."""
    assert loaded(tmp_path, f"auth: {{in: {where}}}\n").auth == auth
    found = refused(tmp_path, f"auth: {{in: {where}}}\nusers:\n  alice: {{token: '${{BROKEN}}'}}\n")
    assert found == "3:11: users.alice.token contains a line break; does the variable's value end with one?"


def test_any_token_can_travel_in_the_query(tmp_path: Path) -> None:
    assert loaded(tmp_path, "users: {alice: {token: '${BROKEN}'}}").users["alice"].token == "hidden-key\n"


@pytest.mark.parametrize(("where", "token"), [("cookie", "a;b"), ("subprotocol", "a,b"), ("subprotocol", "a b")])
def test_a_token_that_would_be_taken_apart(tmp_path: Path, where: str, token: str) -> None:
    found = refused(tmp_path, f"auth: {{in: {where}}}\ntokens:\n  expired: '{token}'\n")
    assert found.startswith("3:3: tokens.expired contains a character that is not allowed: ")


def test_paths_are_relative_to_the_file_they_stand_in(tmp_path: Path) -> None:
    path = tmp_path / "wsproof.yaml"
    path.write_text("tls: {ca: certs/ca.pem, cert: /etc/client.pem, key: '${KEY}'}", encoding="utf-8")
    tls = load_profile(path, {"tls.ca": "own.pem"}, ENVIRON).tls
    assert (tls.ca, tls.cert, tls.key) == ("own.pem", "/etc/client.pem", str(tmp_path / "hidden-key"))
    assert load_profile(path, None, ENVIRON).tls.ca == str(tmp_path / "certs" / "ca.pem")


def test_overrides_for_another_folder() -> None:
    overrides = {"tls.ca": "own.pem", "tls.cert": None, "tls.verify": True, "heartbeat.interval": 1}
    assert anywhere(overrides) == overrides | {"tls.ca": os.path.abspath("own.pem")}
