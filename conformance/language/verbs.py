"""What each verb of the scenario language becomes: a step's members, expanded, as a dataclass."""

from collections.abc import Callable, Mapping
from typing import Any

from conformance.language.scenario import (
    Alternative,
    Backoff,
    Charge,
    Check,
    CloseConnection,
    Connect,
    Deed,
    DropConnection,
    Expect,
    Expectation,
    ExpectClose,
    ExpectDeclined,
    ExpectHandshake,
    ExpectHeartbeat,
    ExpectNothing,
    ExpectOne,
    ExpectOpen,
    ExpectPong,
    ExpectRefusal,
    Fragments,
    NeedCompression,
    Pace,
    Pause,
    RawFrame,
    ReadOn,
    SendMessage,
    SendPing,
    SendRaw,
    StopReading,
)
from contract.findings import Phrase, phrase
from wire.frames import Opcode

OPCODES = {
    "continuation": Opcode.CONT,
    **{one.name.lower(): one for one in (Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE, Opcode.PING, Opcode.PONG)},
}


def names(value: str | list[str] | None) -> tuple[str, ...]:
    """One name or several, as the files write them."""
    return (value,) if isinstance(value, str) else tuple(value or ())


def _checks(body: Any) -> tuple[Check, ...]:
    return tuple(
        Check(Charge(names(one["requirement"]), one.get("level")), one["match"], _said(one))
        for one in body.get("checks", ())
    )


def _said(body: Any) -> Phrase | None:
    """What a scenario's author has to say of a failure, in English and, if given, in Japanese."""
    english = body.get("message")
    return phrase("said", en=english, ja=body.get("message_ja", english)) if english else None


def _expectation(body: Any) -> Expectation:
    return Expectation(body["event"], body.get("match", {}), body.get("capture", {}), _checks(body))


def _alternative(body: Any) -> Alternative:
    fails = body.get("fails")
    check = None
    if fails:
        check = Check(Charge(names(fails["requirement"]), fails.get("level")), {}, _said(fails))
    return Alternative(
        body.get("event"),
        body.get("match"),
        tuple(body.get("close", ())),
        bool(body.get("closed")),
        bool(body.get("end")),
        bool(body.get("enough")),
        check,
    )


def message_of(body: Mapping[str, Any]) -> Any:
    """What a `send` sends, before its values are rendered."""
    if "message" in body:
        return body["message"]
    message = {name: body[name] for name in ("event", "payload", "sequence") if name in body}
    return {**message, **body.get("members", {})}


def _send(body: Any) -> Deed:
    return SendMessage(
        body["actor"], message_of(body), bool(body.get("escape")), _fragments(body), bool(body.get("interleave"))
    )


def _fragments(body: Any) -> Fragments:
    value = body.get("fragments")
    return tuple(value) if isinstance(value, list) else value


def _raw(body: Any) -> Deed:
    frames = tuple(
        RawFrame(
            OPCODES.get(one["opcode"], one["opcode"]),
            one.get("text"),
            one.get("hex"),
            one.get("final", True),
            one.get("reserved_bits", 0),
            one.get("masked", True),
        )
        for one in body.get("frames", ())
    )
    for hexadecimal in (body.get("hex"), *(frame.hex for frame in frames)):
        if hexadecimal is not None and not isinstance(hexadecimal, str):
            raise ValueError(f"hex: expected a string of hexadecimal digits, in quotes; got {hexadecimal!r}")
        bytes.fromhex(hexadecimal or "")
    names = ("text", "binary", "hex", "interleave", "opcode", "deflate", "pieces")
    return SendRaw(
        body["actor"], frames=frames, fragments=_fragments(body), **{name: body[name] for name in names if name in body}
    )


def _control(body: Any) -> bytes:
    return bytes.fromhex(body["hex"]) if "hex" in body else str(body.get("payload", "")).encode()


def _connect(body: Any) -> Deed:
    return Connect(**{**body, "subprotocols": tuple(body.get("subprotocols", ()))})


VERBS: Mapping[str, Callable[[Any], Deed]] = {
    "connect": _connect,
    "send": _send,
    "send_raw": _raw,
    "expect": lambda body: Expect(body["actor"], (_expectation(body),), False, body.get("within", "response_timeout")),
    "expect_all": lambda body: Expect(
        body["actor"],
        tuple(_expectation(one) for one in body["of"]),
        body.get("order") == "listed",
        body.get("within", "response_timeout"),
    ),
    "expect_one": lambda body: ExpectOne(
        body["actor"],
        tuple(_alternative(one) for one in body["of"]),
        body.get("within", "response_timeout"),
        bool(body.get("next")),
    ),
    "expect_nothing": lambda body: ExpectNothing(
        tuple(body["actors"]), body.get("event"), body.get("match", {}), body.get("for", "quiet_period")
    ),
    "expect_close": lambda body: ExpectClose(
        body["actor"],
        tuple(body["codes"]),
        body.get("within", "response_timeout"),
        bool(body.get("optional")),
        body.get("after", "now"),
    ),
    "expect_refusal": lambda body: ExpectRefusal(
        body["actor"],
        tuple(body.get("statuses", ())),
        tuple(body.get("codes", ())),
        names(body.get("graded")),
        bool(body.get("plain")),
    ),
    "expect_handshake": lambda body: ExpectHandshake(body["actor"]),
    "expect_declined": lambda body: ExpectDeclined(body["actor"]),
    "need_compression": lambda body: NeedCompression(body["actor"]),
    "expect_pong": lambda body: ExpectPong(
        body["actor"], _control(body), body.get("within", "response_timeout"), bool(body.get("or_end"))
    ),
    "expect_heartbeat": lambda body: ExpectHeartbeat(body["actor"], body["intervals"], body.get("meanwhile")),
    "expect_open": lambda body: ExpectOpen(body["actor"], body["for"]),
    "ping": lambda body: SendPing(body["actor"], _control(body)),
    "close": lambda body: CloseConnection(**body),
    "drop": lambda body: DropConnection(body["actor"], body.get("how", "reset")),
    "stop_reading": lambda body: StopReading(body["actor"]),
    "read_on": lambda body: ReadOn(body["actor"]),
    "pause": lambda body: Pause(body["actor"], body.get("for", body.get("to_next", 0)), "to_next" in body),
    "pace": lambda body: Pace(body["actor"], body.get("rate"), body.get("times"), body["steps"]),
    "backoff": lambda body: Backoff(body["actor"]),
}
"""The verbs of a step that stands for itself; `repeat`, `call` and the steps of `pace` are expanded."""
