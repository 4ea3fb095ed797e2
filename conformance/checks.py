"""Transcript checks: they run over every message of every scenario and are charged to their own requirements."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import Any

from conformance.actions import Opcode
from conformance.deliveries import DELIVERY_CHECKS, collect
from conformance.record import UNPARSED, Conversation, Message, Record, outer
from conformance.scenario import Charge
from conformance.stage import Failure, show
from contract.json_text import type_name
from contract.model import Contract, value_at
from contract.profile import Profile
from contract.requirements import Level

STEP = "transcript"
MAX_FINDINGS = 3
"""Findings that one scenario shows for one requirement; the fourth says nothing new."""
SMALLEST_BUFFER = 1_000
"""Bytes that every transport fills before it cuts a message into frames (ENV-01)."""


@dataclass(frozen=True, slots=True)
class History:
    """A scenario's record, with what it is judged by."""

    record: Record
    contract: Contract
    profile: Profile
    offset: float
    """Seconds to add to a message's time to get UNIX time."""

    def finding(
        self,
        requirement: str,
        level: Level,
        conversation: Conversation | None,
        message: str,
        *,
        expected: str | None = None,
        received: Any = None,
    ) -> Failure:
        """A failure of a transcript check."""
        mask = self.record.mask
        return Failure(
            Charge((requirement,), level),
            STEP,
            conversation.actor if conversation else None,
            mask(message),
            expected,
            mask(show(received)) if received is not None else None,
        )


def judge(history: History) -> tuple[Failure, ...]:
    """Run every transcript check."""
    counted: Counter[tuple[str, Level | None]] = Counter()
    kept = []
    deliveries = collect(history)
    found = chain(
        *(check(history) for check in TRANSCRIPT_CHECKS), *(check(history, deliveries) for check in DELIVERY_CHECKS)
    )
    for failure in found:
        key = (failure.charge.requirements[0], failure.charge.level)
        counted[key] += 1
        if counted[key] <= MAX_FINDINGS:
            kept.append(failure)
    return tuple(kept)


# ENV: the format of every message


def check_text(history: History) -> Iterator[Failure]:
    """ENV-01: text, UTF-8, JSON; a broken frame stream is no text frame either, and bad compression is WIRE-09's."""
    yield from islice(_untexted(history), MAX_FINDINGS)
    for conversation in history.record.conversations:
        # What is wrong in a close frame is no message: its code is CLOSE-02's, and its reason may be our own, echoed.
        in_close = conversation.close_received is not None
        if conversation.ended is not None and conversation.ended.how == "violation" and not in_close:
            # What cannot be inflated is a matter of the compression that was negotiated.
            inflating = conversation.ended.detail == "decompression failed"
            yield history.finding(
                "WIRE-09" if inflating else "ENV-01",
                "MUST",
                conversation,
                "the server broke the framing of RFC 7692" if inflating else "the server broke the framing of RFC 6455",
                expected="legal frames",
                received=conversation.ended.detail,
            )


def _untexted(history: History) -> Iterator[Failure]:
    for message in history.record.messages:
        if message.opcode != Opcode.TEXT:
            yield history.finding(
                "ENV-01",
                "MUST",
                message.conversation,
                "a binary message",
                expected="a text message",
                received=message.text,
            )
        elif message.problem is not None:
            yield history.finding(
                "ENV-01", "MUST", message.conversation, message.problem, expected="JSON in UTF-8", received=message.text
            )
        elif _is_cut(message):
            text = f"a message in {len(message.fragments)} frames"
            yield history.finding(
                "ENV-01", "MUST", message.conversation, text, expected="one text frame", received=message.text
            )


def _is_cut(message: Message) -> bool:
    """Whether a message was cut by its sender, and not by a transport that sends what fills its buffer.

    Boost.Beast cuts at 4,096 bytes, gorilla just before, Tomcat at 8,192; what streams (nhooyr's `wsjson`) ends with
    an empty frame, and where it compresses, it cuts as its compressor flushes. An application has no say in it, and
    RFC 6455 §5.4 gives it no meaning.
    """
    opened = message.conversation.opened
    if opened is not None and opened.compressed:
        return False
    filled = [size for size in message.fragments if size]
    return any(size < SMALLEST_BUFFER for size in filled[:-1])


def check_envelope(history: History) -> Iterator[Failure]:
    """ENV-02, and HB-02 where it is a ping; a wrong `sequence` is ENV-04's."""
    for message in _parsed(history):
        for violation in history.contract.check_envelope(message.value):
            if violation.pointer == "/sequence":
                continue
            details: dict[str, Any] = {"expected": str(violation), "received": message.text}
            text = "not a valid envelope"
            yield history.finding("ENV-02", "MUST", message.conversation, text, **details)
            if message.event == history.contract.ping_event:
                yield history.finding("HB-02", "MUST", message.conversation, "the ping is no envelope", **details)


PAYLOAD_REQUIREMENTS = {
    "connection_ack": (("/sessionId", "CONN-03"), ("", "CONN-03")),
    "error": (("", "ERR-06"),),
    "new_message": (
        ("/message/id", "SEND-04"),
        ("/message/timestamp", "SEND-05"),
        ("/message/author", "SEND-06"),
    ),
    "ping": (("", "HB-02"),),
}
"""Requirements of their own that parts of a payload have, beside ENV-03."""


def check_payload(history: History) -> Iterator[Failure]:
    """ENV-03, and the requirement that speaks of the broken member (CONN-03, HB-02, SEND-04 to -06, ERR-06)."""
    for message in _parsed(history):
        event, value = message.event, message.value
        if event is None or event not in history.contract.events or "payload" not in value:
            continue
        if event == "connection_ack" and not isinstance(value["payload"], dict):
            yield history.finding(
                "CONN-03", "MUST", message.conversation, "no sessionId", expected="a sessionId", received=message.text
            )
            continue
        for violation in history.contract.check_payload(event, value["payload"]):
            details: dict[str, Any] = {"expected": str(violation), "received": message.text}
            text = f"the payload of `{event}` is not valid"
            yield history.finding("ENV-03", "MUST", message.conversation, text, **details)
            missing = violation.pointer + "/" + violation.message.partition("'")[2].partition("'")[0]
            for pointer, requirement in PAYLOAD_REQUIREMENTS.get(event, ()):
                if violation.pointer.startswith(pointer) or missing.startswith(pointer):
                    yield history.finding(requirement, "MUST", message.conversation, text, **details)
                    break


def check_sequence(history: History) -> Iterator[Failure]:
    """ENV-04: integers that strictly increase; ENV-05: by one."""
    for conversation in history.record.conversations:
        numbers: list[int | None] = []
        for message in conversation.received:
            if message.value is UNPARSED:
                numbers.append(None)  # it may have had the number that seems to be missing
            if not isinstance(message.value, dict) or "sequence" not in message.value:
                continue
            number = message.value["sequence"]
            if type_name(number) != "integer":
                yield history.finding(
                    "ENV-04",
                    "MUST",
                    conversation,
                    "`sequence` is no integer",
                    expected="an integer",
                    received=message.text,
                )
            else:
                numbers.append(number)
        known = [number for number in numbers if number is not None]
        for lower, higher in pairwise(known):
            if higher <= lower:
                yield history.finding(
                    "ENV-04",
                    "MUST",
                    conversation,
                    "`sequence` does not increase",
                    expected=f"more than {lower}",
                    received=higher,
                )
        for before, after in pairwise(numbers):
            if before is not None and after is not None and after != before + 1:
                yield history.finding(
                    "ENV-05", "SHOULD", conversation, "`sequence` leaps", expected=str(before + 1), received=after
                )


def check_declared(history: History) -> Iterator[Failure]:
    """ENV-08: no event and no member that the contract does not name."""
    for message in _parsed(history):
        if message.event is None:
            continue
        event = history.contract.events.get(message.event)
        if event is None or event.sender != "server":
            yield history.finding(
                "ENV-08",
                "SHOULD",
                message.conversation,
                f"the contract names no event {message.event[:80]!r} of a server",
                received=message.text,
            )
            continue
        for pointer in history.contract.undeclared_members(message.value):
            yield history.finding(
                "ENV-08",
                "SHOULD",
                message.conversation,
                f"the contract names no member {pointer[:200]}",
                received=message.text,
            )


# CONN, AUTH, ERR, CLOSE


def check_acknowledgement(history: History) -> Iterator[Failure]:
    """CONN-04: the acknowledgement comes first; CONN-05: once; CONN-06: with a session of its own."""
    sessions: dict[str, Conversation] = {}
    for conversation in history.record.conversations:
        acks = [message for message in conversation.received if message.event == history.contract.ack_event]
        if acks and acks[0] is not conversation.received[0] and not _answered_early(conversation, acks[0]):
            yield history.finding(
                "CONN-04",
                "SHOULD",
                conversation,
                "another message came before the acknowledgement",
                expected=f"`{history.contract.ack_event}` first",
                received=conversation.received[0].text,
            )
        if len(acks) > 1:
            yield history.finding(
                "CONN-05",
                "SHOULD",
                conversation,
                f"{len(acks)} acknowledgements",
                expected="one",
                received=acks[1].text,
            )
        for session in {value_at(ack.value, "payload.sessionId") for ack in acks if _has_session(ack)}:
            if session in sessions and sessions[session] is not conversation:
                yield history.finding(
                    "CONN-06",
                    "SHOULD",
                    conversation,
                    "two connections have one sessionId",
                    expected="a sessionId of its own",
                    received=session,
                )
            sessions[session] = conversation


def _has_session(ack: Message) -> bool:
    return isinstance(value_at(ack.value, "payload.sessionId"), str)


def _answered_early(conversation: Conversation, ack: Message) -> bool:
    """Whether we sent something before the acknowledgement: then what came first may be its answer."""
    return bool(conversation.sent) and conversation.sent[0].t < ack.t


def check_tokens(history: History) -> Iterator[Failure]:
    """AUTH-06: no answer repeats the token, apart from what the client itself sent in a message."""
    for conversation in history.record.conversations:
        token = conversation.token
        if token is None or len(token) < 4:
            continue
        own = any(token in sent.text for one in history.record.conversations for sent in one.sent)
        if own:
            continue
        for text in _answers(conversation, history.profile.auth.where == "subprotocol"):
            if token in text:
                yield history.finding(
                    "AUTH-06", "SHOULD", conversation, "the server repeats the token", received=text[:300]
                )


def _answers(conversation: Conversation, token_is_subprotocol: bool) -> Iterator[str]:
    refused, opened, closed = conversation.refused, conversation.opened, conversation.close_received
    headers = (opened.headers if opened else ()) + (refused.headers if refused else ())
    for name, value in headers:
        if not (token_is_subprotocol and name.lower() == "sec-websocket-protocol"):
            yield f"{name}: {value}"
    if refused is not None:
        yield refused.body.decode("utf-8", "replace")
    if closed is not None:
        yield closed.reason
    for message in conversation.received:
        yield message.text


def check_error_codes(history: History) -> Iterator[Failure]:
    """ERR-09: the codes of errors are the profile's."""
    if history.contract.delivery is None:
        return
    path = history.contract.delivery.error["code"]
    known = set(history.profile.error_codes.values())
    for message in _parsed(history):
        code = value_at(message.value, path) if message.event == history.contract.delivery.error["event"] else None
        if isinstance(code, str) and code and code not in known:
            yield history.finding(
                "ERR-09",
                "SHOULD",
                message.conversation,
                "an error code that the profile does not name",
                expected=", ".join(sorted(known)),
                received=code,
            )


def check_close_codes(history: History) -> Iterator[Failure]:
    """CLOSE-02: what stands on the wire is legal there."""
    for conversation in history.record.conversations:
        close = conversation.close_received
        if close is not None and not close.legal:
            yield history.finding(
                "CLOSE-02",
                "MUST",
                conversation,
                "an illegal close frame",
                expected="a code that RFC 6455 §7.4 permits on the wire",
                received="one byte" if close.code is None else str(close.code),
            )


def _parsed(history: History) -> Iterator[Message]:
    """The messages that are JSON, as far as they are held against the schemas."""
    return (message for message in outer(history.record.messages) if message.value is not UNPARSED)


TRANSCRIPT_CHECKS: tuple[Callable[[History], Iterator[Failure]], ...] = (
    check_text,
    check_envelope,
    check_payload,
    check_sequence,
    check_declared,
    check_acknowledgement,
    check_tokens,
    check_error_codes,
    check_close_codes,
)

TRANSCRIPT_REQUIREMENTS = frozenset(
    {
        *("ENV-01", "ENV-02", "ENV-03", "ENV-04", "ENV-05", "ENV-08", "HB-02"),
        *("CONN-03", "CONN-04", "CONN-05", "CONN-06", "AUTH-06", "ERR-06", "ERR-09", "CLOSE-02"),
        *("JOIN-02", "SEND-02", "SEND-03", "SEND-04", "SEND-05", "SEND-06", "SEND-07", "SEND-08"),
    }
)
"""What these checks can fail in any scenario."""
