"""Histories for the transcript checks, built by hand."""

import json
from datetime import UTC, datetime
from typing import Any

from conformance.judge.checks import judge
from conformance.play.context import Failure
from conformance.play.history import History
from conformance.play.record import Conversation, Record, Sent
from conformance.transport.exchange import CloseReceived, Ended, Opened, Received, Refused
from contract.findings import Phrase, phrase
from contract.profile import Profile
from tests.bundled import load_contract, load_profile, load_requirements, read_message
from wire.close_codes import is_legal_code
from wire.frames import Opcode

PROFILE = load_profile()
REQUIREMENTS = load_requirements()
EPOCH = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""UNIX time of the clock's zero."""


def nonce(number: int) -> str:
    """A text that counts as a nonce."""
    return f"{4_000_000_000_000_000 + number}"


def stamp(t: float) -> str:
    return datetime.fromtimestamp(EPOCH + t, UTC).isoformat()


class Story:
    """What happened in a scenario, told in order; a second passes with every message."""

    def __init__(self, profile: Profile = PROFILE) -> None:
        self.profile = profile
        self.record = Record(0.0, profile.secrets())
        self.now = 0.0

    def connect(self, user: str = "alice", *headers: tuple[str, str], ack: bool = True) -> Conversation:
        token = self.profile.users[user].token
        number = len(self.record.conversations)
        one = Conversation(f"{user}-{number}", user, number, token)
        one.opened = Opened(self.now, one.actor, headers, None)
        self.record.conversations.append(one)
        if ack:
            self.receive(one, "connection_ack", {"sessionId": f"session-{number}"})
        return one

    def raw(
        self, one: Conversation, data: str | bytes, opcode: int = Opcode.TEXT, fragments: tuple[int, ...] = ()
    ) -> None:
        self.now += 1
        raw = data if isinstance(data, bytes) else data.encode()
        happening = Received(self.now, one.actor, opcode, raw, fragments)
        one.received.append(read_message(happening, one))

    def receive(self, one: Conversation, event: str, payload: Any, **members: Any) -> None:
        self.raw(one, json.dumps({"event": event, "payload": payload, **members}))

    def send(self, one: Conversation, event: str, payload: Any, *, plain: bool = True, **members: Any) -> None:
        self.now += 1
        value = {"event": event, "payload": payload, **members}
        one.sent.append(Sent(self.now, one, value, json.dumps(value), plain, load_contract().name_of(value, "client")))

    def join(self, one: Conversation, channel: str = "c") -> None:
        self.send(one, "join_channel", {"channelId": channel})

    def post(self, one: Conversation, number: int, channel: str = "c", words: str = "hello", **changes: Any) -> None:
        """A post; `changes` are those of `send`, or other members of its payload."""
        payload = {"channelId": channel, "text": f"{nonce(number)} {words}", **changes.pop("payload", {})}
        self.send(one, "send_message", payload, **changes)

    def delivery(self, number: int, poster: str = "alice", channel: str = "c", **message: Any) -> Any:
        """A right delivery's payload; `message` changes its members."""
        user = self.profile.users[poster]
        whole = {
            "id": f"m-{number}",
            "text": f"{nonce(number)} hello",
            "author": {"id": user.id, "name": user.name},
            "timestamp": stamp(self.now),
            **message,
        }
        return {"channelId": channel, "message": whole}

    def deliver(
        self,
        one: Conversation,
        number: int,
        poster: str = "alice",
        channel: str = "c",
        **message: Any,
    ) -> None:
        self.receive(one, "new_message", self.delivery(number, poster, channel, **message))

    def close(self, one: Conversation, code: int | None, reason: str = "", legal: bool | None = None) -> None:
        allowed = code is None or is_legal_code(code)
        one.close_received = CloseReceived(self.now, one.actor, code, reason, allowed if legal is None else legal)

    def end(self, one: Conversation, how: Any = "eof", detail: Phrase | None = None) -> None:
        one.ended = Ended(self.now, one.actor, how, detail)

    def refuse(self, user: str, body: bytes, **headers: str) -> None:
        one = Conversation(user, user, 1, self.profile.users[user].token)
        one.refused = Refused(self.now, user, "status", 403, tuple(headers.items()), body, phrase("answer-wrong"))
        self.record.conversations.append(one)

    def wait(self, seconds: float) -> None:
        """Nothing happens for a while."""
        self.now += seconds

    def leave(self, one: Conversation) -> None:
        """We close the connection."""
        one.leave(self.now)

    def history(self) -> History:
        self.record.ended = self.now
        return History(self.record, load_contract(), self.profile, EPOCH)

    def failures(self) -> tuple[Failure, ...]:
        """Everything that is found, as it is charged."""
        return judge(self.history(), REQUIREMENTS)[0]

    def findings(self) -> list[tuple[str, str | None]]:
        """Requirement and level of everything that is found, each once."""
        return sorted({(one.charge.requirements[0], one.charge.level) for one in self.failures()}, key=str)

    def chances(self) -> dict[str, int]:
        """How often each check might have failed; those that never did are left out."""
        return {name: count for name, count in judge(self.history(), REQUIREMENTS)[1].items() if count}
