"""One connection's side of the protocol, without any I/O: what it is told, and what it wants done."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from traceback import extract_tb
from typing import Any

from contract.findings import phrase
from contract.json_text import JsonTextError, parse_json
from contract.model import Contract
from contract.profile import Profile
from reference_server.chat.channels import Channels
from reference_server.chat.rate_limit import TokenBucket
from reference_server.core.exchange import Account, Close, Effects, SendPing, SendText
from reference_server.core.heartbeat import Heartbeat

logger = logging.getLogger("wsproof.reference_server")

REASONS = {
    "INVALID_JSON": "The message is not JSON.",
    "INVALID_MESSAGE": "The message is no envelope.",
    "INVALID_PAYLOAD": "The payload is not valid for this event.",
    "UNKNOWN_EVENT": "A client sends no such event.",
    "PERMISSION_DENIED": "You do not have permission to use this channel.",
    "CHANNEL_NOT_FOUND": "There is no such channel.",
    "NOT_JOINED": "You have not joined this channel.",
    "RATE_LIMITED": "That is more than the server takes from one connection.",
    "INTERNAL_ERROR": "The server failed to process the message.",
}
"""What an error says. The client's own content never stands in it, apart from the event's name."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What all sessions of a server obey. `rate_limit` in messages a second; None: no limit."""

    profile: Profile
    contract: Contract
    rate_limit: float | None = None


class Session:
    """A connection from its handshake to its end.

    Every method returns effects; after a `Close` among them the session is `closed` and says nothing more.
    """

    __slots__ = (
        "_bucket",
        "_channels",
        "_expires",
        "_heartbeat",
        "_rules",
        "account",
        "closed",
        "id",
        "key",
    )

    def __init__(
        self,
        key: int,
        session_id: str,
        account: Account,
        rules: Rules,
        channels: Channels,
        now: float,
    ) -> None:
        self.key = key
        self.id = session_id
        self.account = account
        self.closed = False
        self._rules = rules
        self._channels = channels
        self._heartbeat = Heartbeat(rules.profile.heartbeat, now)
        self._expires = now + account.expires_after if account.expires_after is not None else inf
        self._bucket = TokenBucket(rules.rate_limit, now) if rules.rate_limit is not None else None

    @property
    def deadline(self) -> float:
        """When `tick` has something to do next."""
        return min(self._heartbeat.deadline, self._expires)

    def opened(self) -> Effects:
        """The acknowledgement, which nothing precedes (CONN-02 to CONN-05)."""
        return [SendText(self.key, "connection_ack", {"sessionId": self.id})]

    def tick(self, now: float) -> Effects:
        """What the clock asks for: a ping, or the end of a connection."""
        if now >= self._expires:
            return [self.close("token_expired", "the token has expired")]
        match self._heartbeat.due(now):
            case "timeout":
                return [self.close("heartbeat_timeout", "no pong in time")]
            case "ping" if self._rules.profile.heartbeat.form == "control":
                return [SendPing(self.key, b"heartbeat")]
            case "ping":
                return [SendText(self.key, "ping", {})]
        return []

    def control_pong(self) -> Effects:
        """A pong frame answers the heartbeat where that travels in control frames."""
        if self._rules.profile.heartbeat.form == "control":
            self._heartbeat.answered()
        return []

    def binary(self) -> Effects:
        """Binary messages are not processed (WIRE-07)."""
        return [self.close("unsupported_data", "messages are text")]

    def close(self, cause: str, reason: str) -> Close:
        """A close with the profile's code for this cause (CLOSE-04)."""
        self.closed = True
        return Close(self.key, self._rules.profile.close_codes[cause], reason)

    def text(self, text: str, now: float) -> Effects:
        """Answer one message. It is checked in the order JSON, envelope, event, payload, state."""
        name: str | None = None
        try:
            value = _parse(text)
            name = _event_name(value)
            return self._message(value, name, now)
        except JsonTextError:
            return [self._error("INVALID_JSON", None)]
        except Exception as error:  # noqa: BLE001  # whatever it was, the connection survives it (ERR-07)
            # It is logged by its place alone, since its text may quote the message.
            place = extract_tb(error.__traceback__)[-1]
            logger.error("internal error: %s in %s", type(error).__name__, place.name)
            return [self._error("INTERNAL_ERROR", name)]

    def _message(self, value: Any, name: str | None, now: float) -> Effects:
        if self._bucket is not None and name != "pong" and not self._bucket.take(now):
            return [self._error("RATE_LIMITED", name)]
        objection = self._objection(value, name)
        if objection is not None:
            return [self._error(objection, name)]
        return ACTIONS[value["event"]](self, value["payload"])

    def _objection(self, value: Any, name: str | None) -> str | None:
        """The code of the error that a message deserves as such; most are in order, which one look shows."""
        contract = self._rules.contract
        if name is None or name not in ACTIONS:
            return "INVALID_MESSAGE" if contract.check_envelope(value) else "UNKNOWN_EVENT"
        if contract.events[name].message.passes(value):
            return None
        if contract.check_envelope(value):
            return "INVALID_MESSAGE"
        return "INVALID_PAYLOAD" if contract.check_payload(name, value) else None

    def pong(self, payload: dict[str, Any]) -> Effects:
        """The heartbeat's answer; members of it are ignored, and nothing is answered to it (HB-05)."""
        if self._rules.profile.heartbeat.form == "message":
            self._heartbeat.answered()
        return []

    def join(self, payload: dict[str, Any]) -> Effects:
        """Enter a channel. There is no answer to a join that is in order."""
        channel = str(payload["channelId"])
        if not self._channels.permits(channel, self.account):
            return [self._error("PERMISSION_DENIED", "join_channel")]
        if not self._channels.exists(channel):
            return [self._error("CHANNEL_NOT_FOUND", "join_channel")]
        if not self._channels.join(channel, self.key):
            return [self._error("RATE_LIMITED", "join_channel")]
        return []

    def post(self, payload: dict[str, Any]) -> Effects:
        """Post to a channel that the connection has joined (SEND-01, SEND-09)."""
        channel = str(payload["channelId"])
        if not self._channels.permits(channel, self.account):
            return [self._error("PERMISSION_DENIED", "send_message")]
        if not self._channels.is_member(channel, self.key):
            return [self._error("NOT_JOINED", "send_message")]
        return [self._channels.post(channel, str(payload["text"]), self.account)]

    def _error(self, code: str, original_event: str | None) -> SendText:
        payload = {
            "code": self._rules.profile.error_codes.get(code, code),
            "message": REASONS[code],
        }
        if original_event is not None:
            payload["originalEvent"] = original_event
        return SendText(self.key, "error", payload)


ACTIONS: Mapping[str, Callable[[Session, dict[str, Any]], Effects]] = {
    "pong": Session.pong,
    "join_channel": Session.join,
    "send_message": Session.post,
}
"""What a client may send."""


def _parse(text: str) -> Any:
    value = parse_json(text)
    if "\\u" in text and "\\ud" in text.lower():
        # A lone surrogate escape passes the parser, but no UTF-8 text can carry it on to the receivers.
        try:
            _check_characters(value)
        except UnicodeEncodeError:
            raise JsonTextError(phrase("json-surrogate")) from None
    return value


def _check_characters(value: Any) -> None:
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict):
        for name, member in value.items():
            name.encode()
            _check_characters(member)
    elif isinstance(value, list):
        for member in value:
            _check_characters(member)


def _event_name(value: Any) -> str | None:
    """The event's name where it could be read, for `originalEvent` (ERR-06)."""
    name = value.get("event") if isinstance(value, dict) else None
    return name if isinstance(name, str) else None
