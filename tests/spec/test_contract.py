"""`spec/chat/contract.yaml`: the roles of the chat's messages, and the defaults of its endpoints."""

from contract.choices import Heartbeat, Limits, Reconnect
from tests.bundled import CHAT, load_contract, load_profile

CLOSE_CODES = {
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
ERROR_CODES = [
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


def test_the_defaults_of_the_profile() -> None:
    """Changing one of them changes what every endpoint is measured by."""
    profile = load_profile()
    assert (profile.auth.where, profile.auth.name) == ("query", "access_token")
    assert (profile.ack_timeout, profile.response_timeout, profile.quiet_period) == (5, 5, 0.5)
    assert profile.heartbeat == Heartbeat(30, 0.2, 10, "message")
    assert profile.limits == Limits(65_536, 4_096)
    assert profile.reconnect == Reconnect(1, 2, 30, "full")
    assert profile.history == "none"
    assert profile.close_codes == CLOSE_CODES
    assert [*profile.error_codes] == [*profile.error_codes.values()] == ERROR_CODES


def test_the_fixtures_of_the_reference_server() -> None:
    profile = load_profile()
    assert {key: user.token for key, user in profile.users.items()} == {
        name: f"{name}-token" for name in ("alice", "bob", "carol")
    }
    assert (profile.tokens.expired, profile.tokens.expiring) == ("expired-token", "expiring-token")
    assert (profile.channels.names, profile.channels.private) == ("any", "channel-private")


def test_every_meaning_stands_in_both_languages() -> None:
    meanings = [*CHAT.roles.errors.codes.values(), *(one.meaning for one in CHAT.roles.close_codes.values())]
    for meaning in meanings:
        assert {"en", "ja"} == {*meaning}


def test_the_chats_own_pong() -> None:
    contract = load_contract()
    assert contract.pong({"event": "ping", "payload": {}}) == {"event": "pong", "payload": {}}
