"""Reads scenario files: checks them against their schema, expands procedures, repeats and variants."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance.scenario import (
    Actor,
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
    Scenario,
    SendMessage,
    SendPing,
    SendRaw,
    Step,
    StopReading,
)
from conformance.values import substitute
from conformance.variants import combinations
from contract.errors import ContractError
from contract.files import DATA_ROOT, Document, load_yaml
from contract.findings import Phrase, phrase
from contract.mistakes import check_document
from wire.frames import Opcode

BUNDLED = DATA_ROOT / "spec" / "scenarios"
THOROUGH = DATA_ROOT / "spec" / "thorough"
FUZZ = DATA_ROOT / "spec" / "fuzz"
JOURNEYS = DATA_ROOT / "spec" / "journeys"
REQUIREMENTS = "requirements.yaml"
"""The file beside scenarios that declares their requirements."""
MAX_STEPS = 20_000
OF_JOURNEYS = ("pause", "pace", "backoff")
"""Steps that only journeys of a load test have."""

OPCODES = {
    "continuation": Opcode.CONT,
    **{one.name.lower(): one for one in (Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE, Opcode.PING, Opcode.PONG)},
}

Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Procedure:
    """Steps with parameters; a default of None means that a call must give the value."""

    name: str
    parameters: Mapping[str, Any]
    steps: list[Any]
    document: Document
    where: Where


def scenario_files(path: Path) -> list[Path]:
    """The scenario files of a folder, sorted, or the one file. Raises `ContractError` where there is none."""
    if path.is_file():
        return [path]
    found = sorted(one for one in (*path.glob("*.yaml"), *path.glob("*.yml")) if one.name != REQUIREMENTS)
    if not found:
        raise ContractError("no scenario file (*.yaml) is here", path)
    return found


def load_scenarios(path: Path = BUNDLED, more: Path | None = None, *, journeys: bool = False) -> tuple[Scenario, ...]:
    """All scenarios of a folder or file, and of `more`, in order. Raises `ContractError` with file, line and column.

    A file's procedures are known to the files of its folder; the bundled ones are known everywhere. With `journeys`,
    they may hold the steps that only a load test knows.
    """
    documents = [_read(file) for file in (*scenario_files(path), *(scenario_files(more) if more else ()))]
    folder = path if path.is_dir() else path.parent
    shared = [BUNDLED / "procedures.yaml", folder / "procedures.yaml"]
    if journeys:
        shared.append(JOURNEYS / "journeys.yaml")
    read = {document.path.resolve() for document in documents}
    others = [_read(file) for file in dict.fromkeys(shared) if file.is_file() and file.resolve() not in read]
    procedures = _procedures([*others, *documents])
    scenarios = [one for document in documents for one in _scenarios(document, procedures, journeys)]
    seen: dict[str, Scenario] = {}
    for one in scenarios:
        if one.id in seen:
            first = seen[one.id]
            raise ContractError(f"scenario {one.id!r} stands also in {first.path}:{first.line}", one.path, one.line)
        seen[one.id] = one
    return tuple(scenarios)


def _read(path: Path) -> Document:
    document = load_yaml(path)
    check_document(document, "scenario")
    return document


def _procedures(documents: list[Document]) -> dict[str, Procedure]:
    found: dict[str, Procedure] = {}
    for document in documents:
        for name, one in document.value.get("procedures", {}).items():
            where: Where = ("procedures", name)
            found[name] = Procedure(name, one.get("parameters", {}), one["steps"], document, (*where, "steps"))
    return found


def _scenarios(document: Document, procedures: Mapping[str, Procedure], journeys: bool) -> Iterator[Scenario]:
    group = document.value.get("group", "")
    for index, one in enumerate(document.value.get("scenarios", [])):
        where: Where = ("scenarios", index)
        for name, members in combinations(one.get("variants")):
            scenario_id = f"{one['id']}/{name}" if name else one["id"]
            names = {"variant": name, **members}
            titles = {
                member: substitute(one[member], names) + (f" ({name})" if name else "")
                for member in ("title", "title_ja")
                if member in one
            }
            verifies = _names(substitute(members.get("verifies", one.get("verifies", [])), names))
            actors = tuple(_actor(key, value) for key, value in one.get("actors", {"alice": "alice"}).items())
            reader = _Reader(procedures, {actor.name for actor in actors}, journeys)
            steps = tuple(reader.steps(document, (*where, "steps"), one["steps"], names, Charge()))
            yield Scenario(
                id=scenario_id,
                **titles,
                group=group or (verifies or ("OTHER",))[0].partition("-")[0],
                verifies=verifies,
                needs=tuple(one.get("needs", ())),
                tags=tuple(one.get("tags", ())),
                actors=actors,
                steps=steps,
                path=document.path,
                line=document.position(where)[0],
                level=one.get("level"),
                weight=one.get("weight", 1.0),
            )


def _actor(name: str, value: Any) -> Actor:
    return (
        Actor(name, value) if isinstance(value, str) else Actor(name, value["user"], value.get("heartbeat", "answer"))
    )


def _names(value: str | list[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


class _Reader:
    """Expands the steps of one scenario."""

    def __init__(self, procedures: Mapping[str, Procedure], actors: set[str], journeys: bool) -> None:
        self.procedures = procedures
        self.journeys = journeys
        self.actors = actors
        self.count = 0
        self.calls: list[str] = []
        self.call_number = 0

    def steps(
        self,
        document: Document,
        where: Where,
        steps: list[Any],
        names: Mapping[str, Any],
        outer: Charge,
    ) -> Iterator[Step]:
        for index, one in enumerate(steps):
            here = (*where, index)
            verb = next(name for name in one if name in _VERBS or name in ("repeat", "call", "pace"))
            if verb in OF_JOURNEYS and not self.journeys:
                raise document.error(f"{verb}: only journeys of a load test have such steps", here)
            own = Charge(_names(substitute(one.get("requirement"), names)), one.get("level"))
            charge = own if own.requirements or own.level else outer
            if verb == "repeat":
                yield from self._repeat(document, here, one["repeat"], names, outer)
            elif verb == "call":
                yield from self._call(document, here, one, names, charge)
            elif verb == "pace":
                yield self._pace(document, here, one["pace"], names, charge)
            else:
                self.count += 1
                if self.count > MAX_STEPS:
                    raise document.error(f"the scenario has more than {MAX_STEPS} steps", here)
                yield self._step(document, here, verb, substitute(one[verb], names), charge)

    def _repeat(
        self, document: Document, where: Where, one: Any, names: Mapping[str, Any], outer: Charge
    ) -> Iterator[Step]:
        times = substitute(one["times"], names)
        if not isinstance(times, int):
            raise document.error(f"repeat.times: expected a number, got {times!r}", (*where, "repeat", "times"))
        for turn in range(1, times + 1):
            inner = {**names, one.get("as", "round"): turn}
            yield from self.steps(document, (*where, "repeat", "steps"), one["steps"], inner, outer)

    def _pace(
        self,
        document: Document,
        where: Where,
        one: Any,
        names: Mapping[str, Any],
        charge: Charge,
    ) -> Step:
        body = {**substitute({name: value for name, value in one.items() if name != "steps"}, names), "steps": ()}
        step = self._step(document, where, "pace", body, charge)
        steps = tuple(self.steps(document, (*where, "pace", "steps"), one["steps"], names, charge))
        assert isinstance(step.deed, Pace)
        return replace(step, deed=replace(step.deed, steps=steps))

    def _call(
        self, document: Document, where: Where, one: Any, names: Mapping[str, Any], charge: Charge
    ) -> Iterator[Step]:
        name = one["call"]
        procedure = self.procedures.get(name)
        if procedure is None:
            known = ", ".join(sorted(self.procedures)) or "none"
            raise document.error(f"no procedure {name!r}; known are {known}", (*where, "call"))
        if name in self.calls:
            raise document.error(f"procedure {name!r} calls itself", (*where, "call"))
        given = substitute(one.get("with", {}), names)
        unknown = set(given) - set(procedure.parameters)
        if unknown:
            raise document.error(f"procedure {name!r} has no parameter {sorted(unknown)[0]!r}", (*where, "with"))
        # `call` numbers the calls, so that a procedure's nonces are new in each.
        self.call_number += 1
        values = {**procedure.parameters, **given, "call": self.call_number}
        missing = [parameter for parameter, value in values.items() if value is None]
        if missing:
            raise document.error(f"procedure {name!r} needs the parameter {missing[0]!r}", where)
        self.calls.append(name)
        steps = self.steps(procedure.document, procedure.where, procedure.steps, values, charge)
        # The charge of a call replaces those of the procedure's own steps: here they serve another end.
        for step in steps:
            if charge.requirements:
                yield replace(step, charge=charge)
            else:
                yield replace(step, charge=replace(step.charge, level=charge.level or step.charge.level))
        self.calls.pop()

    def _step(self, document: Document, where: Where, verb: str, body: Any, charge: Charge) -> Step:
        for actor in [body["actor"]] if "actor" in body else body.get("actors", []):
            if actor not in self.actors:
                raise document.error(f"no actor {actor!r}; the scenario has {', '.join(sorted(self.actors))}", where)
        try:
            deed = _VERBS[verb](body)
        except (TypeError, ValueError) as error:
            raise document.error(f"{verb}: {error}", where) from None
        subject = body.get("actor") or ", ".join(body.get("actors", ()))
        what = body.get("event") or ""
        parts = (str(self.count), subject, phrase(f"verb-{verb.replace('_', '-')}"), what)
        label = phrase("step", parts=[part for part in parts if part])
        return Step(deed, charge, label)


def _checks(body: Any) -> tuple[Check, ...]:
    return tuple(
        Check(Charge(_names(one["requirement"]), one.get("level")), one["match"], _said(one))
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
        check = Check(Charge(_names(fails["requirement"]), fails.get("level")), {}, _said(fails))
    return Alternative(
        body.get("event"),
        body.get("match"),
        tuple(body.get("close", ())),
        bool(body.get("closed")),
        bool(body.get("end")),
        bool(body.get("enough")),
        check,
    )


def _message(body: Any) -> Deed:
    if "message" in body:
        message = body["message"]
    else:
        message = {name: body[name] for name in ("event", "payload", "sequence") if name in body}
        message.update(body.get("members", {}))
    return SendMessage(body["actor"], message, bool(body.get("escape")), _fragments(body), bool(body.get("interleave")))


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


_VERBS: Mapping[str, Callable[[Any], Deed]] = {
    "connect": _connect,
    "send": _message,
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
        _names(body.get("graded")),
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
