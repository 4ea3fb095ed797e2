"""Profiles: the defaults of the protocol, files, variables, options."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contract.choices import Auth, Heartbeat, Limits, Reconnect, Tls
from contract.durations import seconds
from contract.errors import ContractError
from contract.fixtures import Channels, Tokens, User
from contract.profile import Profile
from tests.bundled import load_profile

ENVIRON = {"ALICE": "secret-a", "BOB": "secret-b", "EMPTY": ""}


def loaded(tmp_path: Path, text: str, **overrides: Any) -> Profile:
    path = tmp_path / "wsproof.yaml"
    path.write_text(text, encoding="utf-8")
    return load_profile(path, overrides, ENVIRON)


class TestDefaults:
    """The table of the protocol's profile."""

    @pytest.mark.parametrize("text", [None, "{}", "null", "quiet_period: 0.5\n"])
    def test_values(self, tmp_path: Path, text: str | None) -> None:
        profile = load_profile() if text is None else loaded(tmp_path, text)
        assert profile.auth == Auth("query", "access_token")
        assert (profile.ack_timeout, profile.response_timeout, profile.quiet_period) == (5, 5, 0.5)
        assert profile.heartbeat == Heartbeat(interval=30, tolerance=0.2, timeout=10, form="message")
        assert profile.limits == Limits(message_bytes=65_536, text_length=4_096)
        assert profile.reconnect == Reconnect(base=1, factor=2, cap=30, jitter="full")
        assert profile.tls == Tls(verify=True, ca=None)
        assert profile.endpoint is None

    def test_close_codes(self) -> None:
        assert dict(load_profile().close_codes) == {
            "normal": 1000,
            "going_away": 1001,
            "protocol_error": 1002,
            "unsupported_data": 1003,
            "invalid_utf8": 1007,
            "policy": 1008,
            "too_large": 1009,
            "internal_error": 1011,
            "token_expired": 4401,
            "heartbeat_timeout": 4408,
            "rate_limited": 4429,
        }

    def test_error_codes(self) -> None:
        names = [
            "INVALID_JSON",
            "INVALID_MESSAGE",
            "INVALID_PAYLOAD",
            "UNKNOWN_EVENT",
            "PERMISSION_DENIED",
            "CHANNEL_NOT_FOUND",
            "NOT_JOINED",
            "RATE_LIMITED",
            "INTERNAL_ERROR",
        ]
        assert dict(load_profile().error_codes) == {name: name for name in names}

    def test_fixtures(self) -> None:
        profile = load_profile()
        assert [*profile.users.values()] == [
            User("alice", "alice-token", "user-001", "Taro Yamada"),
            User("bob", "bob-token", "user-002", "Hanako Suzuki"),
            User("carol", "carol-token", "user-003", "Carol"),
        ]
        tokens = profile.tokens
        assert (tokens.expired, tokens.expiring, tokens.load) == (
            "expired-token",
            "expiring-token",
            "load-{n}",
        )
        assert tokens.expiring_after == 2
        channels = Channels("wsproof-{nonce}", "channel-private", ("carol",), "missing-{nonce}", "any")
        assert (profile.channels, profile.history) == (channels, "none")

    def test_nothing_can_be_changed_by_accident(self) -> None:
        with pytest.raises(TypeError):
            load_profile().close_codes["normal"] = 1  # type: ignore[index]


class TestFixtures:
    """A file that names any of them offers only those that it names."""

    @pytest.mark.parametrize("text", ["users: {}", "tokens: {}", "channels: {}"])
    def test_any_replaces_all(self, tmp_path: Path, text: str) -> None:
        profile = loaded(tmp_path, text)
        assert (dict(profile.users), profile.tokens, profile.channels) == ({}, Tokens(), Channels())

    def test_names_and_history(self, tmp_path: Path) -> None:
        profile = loaded(tmp_path, "channels: {names: any}\nhistory: join")
        assert (profile.channels.names, profile.history) == ("any", "join")
        with pytest.raises(ContractError, match="names"):
            loaded(tmp_path, "channels: {names: all}")

    def test_users(self, tmp_path: Path) -> None:
        profile = loaded(tmp_path, "users: {alice: {token: t, name: Al}, bob: null}")
        assert dict(profile.users) == {"alice": User("alice", "t", None, "Al")}

    @pytest.mark.parametrize(
        ("text", "token", "after"),
        [
            ("expiring: x", "x", 2),
            ("expiring: {token: x}", "x", 2),
            ("expiring: {token: x, after: 500ms}", "x", 0.5),
            ("expired: x", None, 2),
        ],
    )
    def test_expiring_tokens(self, tmp_path: Path, text: str, token: str | None, after: float) -> None:
        tokens = loaded(tmp_path, f"tokens: {{{text}}}").tokens
        assert (tokens.expiring, tokens.expiring_after) == (token, after)

    @pytest.mark.parametrize(
        ("text", "channels"),
        [
            ("open: [a, b]", Channels(("a", "b"))),
            ("open: 'x-{nonce}'", Channels("x-{nonce}")),
            ("private: p", Channels(private="p", private_members=("carol",))),
            ("private: {name: p, members: [carol]}", Channels(private="p", private_members=("carol",))),
            ("missing: m", Channels(missing="m")),
        ],
    )
    def test_channels(self, tmp_path: Path, text: str, channels: Channels) -> None:
        assert loaded(tmp_path, f"users: {{carol: {{token: t}}}}\nchannels: {{{text}}}").channels == channels


class TestSecrets:
    TEXT = """\
users: {alice: {token: hidden-1}, bob: {token: hidden}}
tokens: {expired: hidden-22, expiring: hidden-333, invalid: hidden-4444}
"""

    def test_no_token_is_shown(self, tmp_path: Path) -> None:
        assert "hidden" not in repr(loaded(tmp_path, self.TEXT))

    def test_all_of_them_the_longest_first(self, tmp_path: Path) -> None:
        """Else the mask of a short one would leave the end of a longer one."""
        secrets = loaded(tmp_path, self.TEXT).secrets()
        assert secrets == ("hidden-4444", "hidden-333", "hidden-22", "hidden-1", "hidden")


class TestVariables:
    TEXT = """\
endpoint: ws://${ALICE}/v1
users:
  alice: {token: "${ALICE}"}
  bob: {token: "x-${BOB}-${BOB}"}
"""

    def test_replaced(self, tmp_path: Path) -> None:
        profile = loaded(tmp_path, self.TEXT)
        assert profile.endpoint == "ws://secret-a/v1"
        tokens = [user.token for user in profile.users.values()]
        assert tokens == ["secret-a", "x-secret-b-secret-b"]

    def test_as_the_whole_value(self, tmp_path: Path) -> None:
        """It is what the variable holds that must be a URL."""
        environ = {"URL": "wss://staging.example.com/v1/socket", "SECONDS": "3s"}
        path = tmp_path / "wsproof.yaml"
        path.write_text("endpoint: ${URL}\nack_timeout: ${SECONDS}\n", encoding="utf-8")
        profile = load_profile(path, {"response_timeout": "${SECONDS}"}, environ)
        assert profile.endpoint == environ["URL"]
        assert (profile.ack_timeout, profile.response_timeout) == (3, 3)

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("endpoint: ${ALICE}\n", "1:1: endpoint: expected a WebSocket URL without a fragment, "),
            ("users:\n  alice: '${ALICE}'\n", "2:3: users.alice: expected a user such as "),
            ("tls: [ '${ALICE}' ]\n", "1:1: tls: expected a mapping of names to values; "),
        ],
    )
    def test_what_one_holds_is_not_shown(self, tmp_path: Path, text: str, place: str) -> None:
        with pytest.raises(ContractError) as caught:
            loaded(tmp_path, text)
        assert str(caught.value).startswith(f"{tmp_path / 'wsproof.yaml'}:{place}")
        assert str(caught.value).endswith(('"${ALICE}" has a different value', "got a list"))
        assert ENVIRON["ALICE"] not in str(caught.value)

    @pytest.mark.parametrize("text", ["x$ALICE", "$2b$10$x", "{ALICE}", "50%", "a<b"])
    def test_what_is_none_stays(self, tmp_path: Path, text: str) -> None:
        assert loaded(tmp_path, f"users: {{alice: {{token: '{text}'}}}}").users["alice"].token == text

    @pytest.mark.parametrize("name", ["NOPE", "EMPTY"])
    def test_one_that_is_not_set(self, tmp_path: Path, name: str) -> None:
        """An empty token would be no token, and its mask would cover everything."""
        with pytest.raises(ContractError) as caught:
            loaded(tmp_path, f"users:\n  alice:\n    token: ${{{name}}}\n")
        place = f"{tmp_path / 'wsproof.yaml'}:3:5"
        assert str(caught.value) == f"{place}: the environment variable {name} is not set"


class TestDurations:
    @pytest.mark.parametrize(
        ("value", "found"),
        [
            (5, 5.0),
            (0.5, 0.5),
            ("5", 5.0),
            ("5 s", 5.0),
            ("500ms", 0.5),
            ("2m", 120.0),
            ("1.5min", 90.0),
            ("1h", 3600.0),
            (" 3s ", 3.0),
        ],
    )
    def test_read(self, value: float | str, found: float) -> None:
        assert seconds(value) == pytest.approx(found)

    @pytest.mark.parametrize("value", ["", "s", "-1", "1d", "1e3", "1 2", "1s2", "inf", "nan", True, "１s"])
    def test_refused(self, value: Any) -> None:
        with pytest.raises(ValueError, match="expected a duration such as 5, 500ms or 2m"):
            seconds(value)


class TestChanges:
    @pytest.mark.parametrize(
        ("overrides", "where", "value"),
        [
            ({"heartbeat.interval": 1}, ("heartbeat", "interval"), 1.0),
            ({"heartbeat.tolerance": "50%"}, ("heartbeat", "tolerance"), 0.5),
            ({"ack_timeout": "2m"}, ("ack_timeout",), 120.0),
            ({"limits.text_length": 300}, ("limits", "text_length"), 300),
            ({"auth": {"in": "header"}}, ("auth",), Auth("header", "Authorization")),
            ({"auth.in": "subprotocol", "auth.name": "t"}, ("auth",), Auth("subprotocol", "t")),
            ({"tls.verify": False}, ("tls",), Tls(verify=False)),
        ],
    )
    def test_set(self, overrides: Mapping[str, Any], where: tuple[str, ...], value: Any) -> None:
        found: Any = load_profile(None, overrides)
        for name in where:
            found = getattr(found, name)
        assert found == value

    def test_it_beats_the_file_and_leaves_the_rest(self, tmp_path: Path) -> None:
        text = "heartbeat: {interval: 7, timeout: 3}\nusers: {alice: {token: t}}"
        profile = loaded(tmp_path, text, **{"heartbeat.interval": "1s", "users.alice.name": "Al"})
        assert (profile.heartbeat.interval, profile.heartbeat.timeout) == (1, 3)
        assert profile.users["alice"] == User("alice", "t", None, "Al")

    @pytest.mark.parametrize(
        ("name", "value", "reason"),
        [
            (
                "heartbeat.interval",
                "soon",
                "heartbeat.interval: expected a duration such as 500ms, 5s or 2m; got",
            ),
            ("heartbeat.intervall", 1, "heartbeat: unknown member 'intervall' (did you mean 'interval'?)"),
            ("hartbeat", 1, "unknown member 'hartbeat' (did you mean 'heartbeat'?)"),
            ("heartbeat", 3, "heartbeat: expected a mapping of names to values; got 3"),
            (
                "limits.text_length",
                "300",
                'expected a whole number; got "300" (write it without quotation marks)',
            ),
        ],
    )
    def test_an_error_names_the_option(self, name: str, value: Any, reason: str) -> None:
        with pytest.raises(ContractError) as caught:
            load_profile(None, {name: value})
        assert str(caught.value).startswith(f"--set {name}: ")
        assert reason in str(caught.value)

    def test_the_wrong_one_of_several_is_named(self) -> None:
        with pytest.raises(ContractError, match=r"^--set heartbeat\.intervall: heartbeat: unknown member 'intervall'"):
            load_profile(None, {"heartbeat.interval": 1, "heartbeat.intervall": 1})

    def test_codes(self, tmp_path: Path) -> None:
        profile = loaded(tmp_path, "close_codes: {policy: 4000}\nerror_codes: {NOT_JOINED: E17}")
        assert (profile.close_codes["policy"], profile.close_codes["normal"]) == (4000, 1000)
        assert (profile.error_codes["NOT_JOINED"], len(profile.error_codes)) == ("E17", 9)

    def test_a_list_of_error_codes_is_all_there_are(self, tmp_path: Path) -> None:
        profile = loaded(tmp_path, "error_codes: [NOT_JOINED, OWN]")
        assert dict(profile.error_codes) == {"NOT_JOINED": "NOT_JOINED", "OWN": "OWN"}


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("ack_timeout: 1\nendpont: x\n", "2:1", "unknown member 'endpont'"),
        ("endpoint: http://x/\n", "1:1", "endpoint: "),
        ("endpoint: ws://x/#f\n", "1:1", "endpoint: "),
        ("heartbeat:\n  interval: 0\n", "2:3", "heartbeat.interval: "),
        ("heartbeat:\n  form: frames\n", "2:3", 'heartbeat.form: expected "message", "control" or "none"; got'),
        ("users:\n  alice:\n    name: x\n", "2:3", "expected the member 'token'"),
        ("users: {alice: {token: ''}}\n", "1:17", "users.alice.token: "),
        ("close_codes:\n  normal: 1005\n", "2:3", "close_codes.normal: "),
        ("auth: {in: body}\n", "1:8", 'auth.in: expected "query", '),
        ("[]\n", "1:1", "expected a mapping of names to values; got a list"),
    ],
)
def test_a_mistake_has_its_place(tmp_path: Path, text: str, place: str, message: str) -> None:
    with pytest.raises(ContractError) as caught:
        loaded(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'wsproof.yaml'}:{place}: ")
    assert message in str(caught.value)
