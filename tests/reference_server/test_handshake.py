"""Tokens: where they travel, and whose they are."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.choices import Auth
from contract.profile import Profile
from reference_server.assembly import assemble
from reference_server.core.accounts import Accounts, read_token
from reference_server.core.exchange import Account
from reference_server.core.handshake import Door, Request, denial, refusal
from reference_server.core.settings import ServerSettings
from tests.bundled import load_profile

QUERY = Auth("query", "access_token")
HEADER = Auth("header", "Authorization")
OWN_HEADER = Auth("header", "X-Token")
SUBPROTOCOL = Auth("subprotocol", "access_token")
BASIC = Auth("basic", "Authorization")
COOKIE = Auth("cookie", "session")

KNOWN: list[tuple[str, str]] = [
    ("alice-token", "user-001"),
    ("bob-token", "user-002"),
    ("carol-token", "user-003"),
    ("expiring-token", "user-expiring"),
    ("load-0", "user-load-0"),
    ("load-1999", "user-load-1999"),
]

DENIED: list[tuple[str | None, str]] = [
    (None, "missing_token"),
    ("", "missing_token"),
    ("wsproof-invalid-token", "invalid_token"),
    ("alice-token ", "invalid_token"),
    ("Alice-token", "invalid_token"),
    ("load-", "invalid_token"),
    ("load-x", "invalid_token"),
    ("load-1\n", "invalid_token"),
    ("load-\u0661", "invalid_token"),
    ("load-" + "9" * 5000, "invalid_token"),
    ("expired-token", "expired_token"),
]


@pytest.mark.parametrize(("token", "user"), KNOWN)
def test_accounts(profile: Profile, token: str, user: str) -> None:
    account = Accounts(profile).find(token)
    assert isinstance(account, Account)
    assert account.id == user


@pytest.mark.parametrize(("token", "reason"), DENIED)
def test_denied(profile: Profile, token: str | None, reason: str) -> None:
    assert Accounts(profile).find(token) == reason


def test_users_without_id_get_one() -> None:
    profile = load_profile(None, {"users": {"dave": {"token": "dave-token"}}})
    assert Accounts(profile).find("dave-token") == Account("user-dave", "dave", "dave")
    assert Accounts(profile).find("load-1") == "invalid_token"


@given(st.text(min_size=1))
def test_a_token_in_the_query_is_read_as_it_was_written(token: str) -> None:
    target = "/v1/socket?" + urlencode({"x": "1", "access_token": token})
    assert read_token(QUERY, target, (), ()) == token


@pytest.mark.parametrize(
    ("auth", "request_", "token"),
    [
        (QUERY, Request("/v1/socket"), None),
        (QUERY, Request("/v1/socket?access_token="), None),
        (QUERY, Request("/v1/socket?access_token=a&access_token=a"), None),
        (QUERY, Request("/v1/socket?access_token=a%20b&x=%zz"), "a b"),
        (QUERY, Request("/v1/socket?access_token=a?b"), "a?b"),
        (QUERY, Request("/v1/socket", (("Authorization", "Bearer a"),)), None),
        (HEADER, Request("/v1/socket?access_token=a"), None),
        (HEADER, Request("/", (("authorization", "bearer  abc "),)), "abc"),
        (HEADER, Request("/", (("Authorization", "Basic abc"),)), ""),
        (HEADER, Request("/", (("Authorization", "Bearer a"), ("Authorization", "Bearer b"))), None),
        (OWN_HEADER, Request("/", (("x-token", "abc"),)), "abc"),
        (BASIC, Request("/", (("authorization", "basic YWxpY2U6cGFzcw=="),)), "alice:pass"),
        (BASIC, Request("/", (("Authorization", "Basic YWxpY2U6"),)), "alice"),
        (BASIC, Request("/", (("Authorization", "Basic ?"),)), ""),
        (BASIC, Request("/", (("Authorization", "Bearer abc"),)), ""),
        (COOKIE, Request("/", (("cookie", "a=b; session=abc; c"),)), "abc"),
        (COOKIE, Request("/", (("Cookie", "session=abc; session=abd"),)), None),
        (COOKIE, Request("/", (("Cookie", "Session=abc"),)), None),
        (SUBPROTOCOL, Request("/", (), ("access_token", "abc")), "abc"),
        (SUBPROTOCOL, Request("/", (), ("chat", "access_token", "abc", "more")), "abc"),
        (SUBPROTOCOL, Request("/", (), ("abc", "access_token")), None),
        (SUBPROTOCOL, Request("/", (), ("abc",)), None),
    ],
)
def test_where_tokens_travel(auth: Auth, request_: Request, token: str | None) -> None:
    assert read_token(auth, request_.target, request_.headers, request_.subprotocols) == token


def test_only_an_offered_subprotocol_is_selected(profile: Profile) -> None:
    door = Door("/", SUBPROTOCOL, Accounts(profile))
    assert door.subprotocol(("access_token", "alice-token")) == "access_token"
    assert door.subprotocol(("alice-token",)) is None
    assert Door("/", QUERY, Accounts(profile)).subprotocol(("access_token",)) is None
    known = Door("/", SUBPROTOCOL, Accounts(profile), ("chat.v2", "chat.v1"))
    assert known.subprotocol(("chat.v0", "chat.v1", "chat.v2", "access_token", "alice-token")) == "chat.v1"
    assert known.subprotocol(("access_token", "alice-token")) == "access_token"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/v1/socket", True),
        ("/v1/socket?access_token=x", True),
        ("/v1/socket/", False),
        ("/v1/socke", False),
        ("/", False),
        ("//[bad", False),
    ],
)
def test_path(profile: Profile, target: str, *, expected: bool) -> None:
    door = Door("/v1/socket", QUERY, Accounts(profile))
    assert door.is_endpoint(Request(target)) is expected


def test_refusals_name_a_reason_and_a_challenge() -> None:
    answer = denial("expired_token")
    assert answer.status == 401
    assert answer.body == '{"error": "expired_token"}\n'
    assert dict(answer.headers)["WWW-Authenticate"].startswith("Bearer ")
    assert refusal(426).body == '{"error": "upgrade_required"}\n'


def test_settings_follow_the_profile(profile: Profile) -> None:
    assert ServerSettings(profile=profile).endpoint_path == "/v1/socket"
    assert ServerSettings(profile=profile).url("127.0.0.1", 80) == "ws://127.0.0.1:80/v1/socket"
    assert ServerSettings(profile=profile, path="/x").url("::", 1) == "ws://[::1]:1/x"
    other = replace(profile, endpoint="wss://api.example.com/chat")
    assert ServerSettings(profile=other).endpoint_path == "/chat"
    bare = replace(profile, endpoint="ws://api.example.com")
    assert ServerSettings(profile=bare).endpoint_path == "/"


def test_no_server_obeys_illegal_close_codes(profile: Profile) -> None:
    profile = replace(profile, close_codes={**profile.close_codes, "too_large": 1005})
    with pytest.raises(ValueError, match=r"close_codes\.too_large: 1005"):
        assemble(ServerSettings(profile=profile))
