"""Reads scenario files: checks them against their schema, expands procedures, repeats and variants."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance.language import awaited, deeds
from conformance.language.deed import Charge, event_of
from conformance.language.deed import names as names_of
from conformance.language.deeds import Pace
from conformance.language.places import Source
from conformance.language.probing import role_procedures
from conformance.language.scenario import Actor, Scenario, Step, Written
from conformance.language.soundness import unsound
from conformance.language.titles import title
from conformance.language.values import substitute
from conformance.language.variants import combinations
from contract.errors import ContractError, together
from contract.files import Document, load_yaml
from contract.findings import phrase
from contract.folder import BUNDLED
from contract.mistakes import check_document
from contract.model import Contract
from contract.plain_words import near
from contract.requirements import replaced_by
from contract.roles import Roles

SCENARIOS, THOROUGH, FUZZ, JOURNEYS = "scenarios", "thorough", "fuzz", "journeys"
"""The folders of a contract."""

PROCEDURES = "procedures.yaml"
"""The file whose procedures its folder's files know; those of a contract are known everywhere."""

REQUIREMENTS = "requirements.yaml"
"""The file beside scenarios that declares their requirements."""
VERBS = {**deeds.VERBS, **awaited.VERBS}
"""The verbs of a step that stands for itself; `repeat`, `call` and the steps of `pace` are expanded."""

MAX_STEPS = 20_000
OF_JOURNEYS = ("pause", "pace", "backoff")
"""Steps that only journeys of a load test have."""

OLD_ANSWERS: Mapping[str, Callable[[Roles], Any]] = {
    "numbered": lambda roles: {one.at: 1 for one in roles.numbers[:1]},
    "with-members": lambda roles: {one.payload: {"wsproof": ["x", 1]} for one in (roles.messages.envelope,) if one},
}
"""Words of former versions for what an actor answers to a ping, where the contract's messages have such members."""


@dataclass(frozen=True, slots=True)
class Procedure:
    """Steps with parameters; a default of None means that a call must give the value."""

    name: str
    parameters: Mapping[str, Any]
    steps: list[Any]
    source: Source


@dataclass(frozen=True, slots=True)
class _Known:
    """What scenarios may call and name. `replaced`: requirements of packs for which the contract's own stand."""

    contract: Contract
    procedures: Mapping[str, Procedure]
    replaced: Mapping[str, tuple[str, ...]]
    journeys: bool

    def named(self, names: Any) -> tuple[str, ...]:
        """Requirements, with those that stand for others in their place."""
        found = names_of(names)
        if self.replaced.keys().isdisjoint(found):
            return found
        return tuple(dict.fromkeys(other for name in found for other in self.replaced.get(name, (name,))))


def scenario_files(path: Path) -> list[Path]:
    """The scenario files of a folder, sorted, or the one file. Raises `ContractError` where there is none."""
    if path.is_file():
        return [path]
    found = sorted(one for one in (*path.glob("*.yaml"), *path.glob("*.yml")) if one.name != REQUIREMENTS)
    if not found:
        raise ContractError("no scenario files (*.yaml) found", path)
    return found


def load_scenarios(
    contract: Contract, path: Path, more: Path | None = None, *, journeys: bool = False
) -> tuple[Scenario, ...]:
    """All scenarios of a folder or file, and of `more`, in order. Raises `ContractError` with file, line and column.

    A file's procedures are known to the files of its folder; those of the contract are known everywhere. With
    `journeys`, they may hold the steps that only a load test knows. What would fail a right server, or could never fail
    a wrong one, is refused (`soundness.py`); the tests hold the bundled ones to that.
    """
    scenarios = read_scenarios(contract, path, more, journeys=journeys)
    found = unsound((one for one in scenarios if not one.path.resolve().is_relative_to(BUNDLED)), contract)
    if found:
        raise together(found)
    return scenarios


def read_scenarios(
    contract: Contract, path: Path | Document, more: Path | None = None, *, journeys: bool = False
) -> tuple[Scenario, ...]:
    """As `load_scenarios`, for a caller that looks at what they say itself, or has made a document of them."""
    made = [path] if isinstance(path, Document) else []
    if isinstance(path, Document):
        path = path.path
    files = () if made else scenario_files(path)
    documents = [*made, *(_read(file) for file in (*files, *(scenario_files(more) if more else ())))]
    folder = path if path.is_dir() else path.parent
    shared = [*(one.path / SCENARIOS / PROCEDURES for one in reversed(contract.folder.whole)), folder / PROCEDURES]
    if journeys:
        shared += (contract.folder.path / JOURNEYS).glob("*.yaml")
    read = {document.path.resolve() for document in documents}
    others = [_read(file) for file in dict.fromkeys(shared) if file.is_file() and file.resolve() not in read]
    known = _Known(
        contract, _procedures([role_procedures(contract), *others, *documents]), replaced_by(contract.folder), journeys
    )
    scenarios = [one for document in documents for one in _scenarios(document, known)]
    seen: dict[str, Scenario] = {}
    for one in scenarios:
        if one.id in seen:
            first = seen[one.id]
            raise ContractError(
                f"scenario {one.id!r} is already defined in {first.path}:{first.line}", one.path, one.line
            )
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
            source = Source(document, ("procedures", name, "steps"), procedure=name)
            found[name] = Procedure(name, one.get("parameters", {}), one["steps"], source)
    return found


def _scenarios(document: Document, known: _Known) -> Iterator[Scenario]:
    group = document.value.get("group", "")
    for index, one in enumerate(document.value.get("scenarios", [])):
        place = Source(document, ("scenarios", index))
        for variant in combinations(one.get("variants")):
            name, members = variant.name, variant.members
            given = {member: place.at("variants", *where) for member, where in variant.places.items()}
            source = replace(place, given=given)
            scenario_id = f"{one['id']}/{name}" if name else one["id"]
            names = {"variant": name, **members}
            titles = {
                member: substitute(one[member], names) + (f" ({name})" if name else "")
                for member in ("title", "title_ja")
                if member in one
            }
            verifies = known.named(substitute(members.get("verifies", one.get("verifies", [])), names))
            actors = tuple(
                _actor(key, value, known.contract.roles) for key, value in one.get("actors", {"alice": "alice"}).items()
            )
            reader = _Reader(known, {actor.name for actor in actors})
            steps = tuple(reader.steps(source.at("steps"), one["steps"], names, Charge()))
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
                line=document.position(place.where)[0],
                level=one.get("level"),
                weight=one.get("weight", 1.0),
                source=source,
            )


def _actor(name: str, value: Any, roles: Roles) -> Actor:
    if isinstance(value, str):
        return Actor(name, value)
    heartbeat = value.get("heartbeat", "answer")
    if isinstance(heartbeat, dict):
        return Actor(name, value["user"], answer=heartbeat["answer"])
    if heartbeat in OLD_ANSWERS:
        return Actor(name, value["user"], answer=OLD_ANSWERS[heartbeat](roles))
    return Actor(name, value["user"], heartbeat)


class _Reader:
    """Expands the steps of one scenario."""

    def __init__(self, known: _Known, actors: set[str]) -> None:
        self.known = known
        self.procedures = known.procedures
        self.journeys = known.journeys
        self.actors = actors
        self.count = 0
        self.calls: list[str] = []
        self.call_number = 0

    def steps(self, source: Source, steps: list[Any], names: Mapping[str, Any], outer: Charge) -> Iterator[Step]:
        for index, one in enumerate(steps):
            here = source.at(index)
            verb = next(name for name in one if name in VERBS or name in ("repeat", "call", "pace"))
            if verb in OF_JOURNEYS and not self.journeys:
                raise here.document.error(f"{verb}: only allowed in journeys of a load test", here.where)
            own = Charge(self.known.named(substitute(one.get("requirement"), names)), one.get("level"))
            charge = own if own.requirements or own.level else outer
            if verb == "repeat":
                yield from self._repeat(here, one["repeat"], names, outer)
            elif verb == "call":
                yield from self._call(here, one, names, charge)
            elif verb == "pace":
                yield self._pace(here, one["pace"], names, charge)
            else:
                self.count += 1
                if self.count > MAX_STEPS:
                    raise here.document.error(f"the scenario has more than {MAX_STEPS} steps", here.where)
                yield self._step(here, verb, substitute(one[verb], names), charge)

    def _repeat(self, source: Source, one: Any, names: Mapping[str, Any], outer: Charge) -> Iterator[Step]:
        times = substitute(one["times"], names)
        if not isinstance(times, int):
            raise source.error(f"repeat.times: expected a number, got {times!r}", "repeat", "times")
        for turn in range(1, times + 1):
            inner = {**names, one.get("as", "round"): turn}
            yield from self.steps(source.at("repeat", "steps"), one["steps"], inner, outer)

    def _pace(self, source: Source, one: Any, names: Mapping[str, Any], charge: Charge) -> Step:
        body = {**substitute({name: value for name, value in one.items() if name != "steps"}, names), "steps": ()}
        step = self._step(source, "pace", body, charge)
        steps = tuple(self.steps(source.at("pace", "steps"), one["steps"], names, charge))
        assert isinstance(step.deed, Pace)
        return replace(step, deed=replace(step.deed, steps=steps))

    def _call(self, source: Source, one: Any, names: Mapping[str, Any], charge: Charge) -> Iterator[Step]:
        name = one["call"]
        procedure = self.procedures.get(name)
        if procedure is None:
            known = f"; known: {', '.join(sorted(self.procedures)) or 'none'}"
            raise source.error(f"unknown procedure {name!r}{near(name, self.procedures) or known}", "call")
        if name in self.calls:
            raise source.error(f"procedure {name!r} calls itself", "call")
        given = substitute(one.get("with", {}), names)
        for unknown in sorted(set(given) - set(procedure.parameters)):
            meant = near(unknown, procedure.parameters)
            raise source.error(f"procedure {name!r} has no parameter {unknown!r}{meant}", "with", unknown)
        # `call` numbers the calls, so that a procedure's nonces are new in each.
        self.call_number += 1
        values = _arguments(procedure.parameters, {**given, "call": self.call_number})
        missing = [parameter for parameter, value in values.items() if value is None]
        if missing:
            raise source.error(f"procedure {name!r} needs the parameter {missing[0]!r}")
        self.calls.append(name)
        places = {parameter: source.at("with", parameter) for parameter in given}
        steps = self.steps(replace(procedure.source, given=places, call=source), procedure.steps, values, charge)
        # The charge of a call replaces those of the procedure's own steps: here they serve another end.
        for step in steps:
            if charge.requirements:
                yield replace(step, charge=charge)
            elif charge.level:
                yield replace(step, charge=replace(step.charge, level=charge.level))
            else:
                yield step
        self.calls.pop()

    def _step(self, source: Source, verb: str, body: Any, charge: Charge) -> Step:
        for member, actor in _actors(body):
            if actor not in self.actors:
                known = f"; the scenario has {', '.join(sorted(self.actors))}"
                raise source.error(f"unknown actor {actor!r}{near(actor, self.actors) or known}", verb, *member)
        if self.known.replaced and verb.startswith("expect"):
            body = _renamed(body, self.known)
        try:
            deed = VERBS[verb].read(body)
        except (TypeError, ValueError) as error:
            raise source.error(f"{verb}: {error}") from None
        subject = body.get("actor") or ", ".join(body.get("actors", ()))
        what = event_of(body) or (title(self.known.contract, None, body["match"]) if "match" in body else "")
        parts = (str(self.count), subject, phrase(f"verb-{verb.replace('_', '-')}"), what)
        label = phrase("step", parts=[part for part in parts if part])
        return Step(deed, charge, label, Written(verb, body, source))


def _arguments(parameters: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What stands for a procedure's parameters; a default may use those before it."""
    values = dict(given)
    for name, default in parameters.items():
        values.setdefault(name, substitute(default, values))
    return values


def _renamed(body: Mapping[str, Any], known: _Known) -> dict[str, Any]:
    """An expectation whose graded parts name the requirements that stand for others."""
    found = dict(body)
    for member in ("requirement", "graded"):
        if member in body:
            found[member] = list(known.named(body[member]))
    for member in ("of", "checks"):
        if member in body:
            found[member] = [_renamed(one, known) for one in body[member]]
    if "fails" in body:
        found["fails"] = _renamed(body["fails"], known)
    return found


def _actors(body: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The actors of a step, each with the place of its name there."""
    if "actor" in body:
        yield ("actor",), body["actor"]
    for number, name in enumerate(body.get("actors", ())):
        yield ("actors", number), name


class RoleSteps:
    """Steps that nobody wrote: calls of the procedures that every contract has."""

    def __init__(self, contract: Contract) -> None:
        procedures = _procedures([role_procedures(contract)])
        self._known = _Known(contract, procedures, replaced_by(contract.folder), journeys=False)
        self._source = Source(Document(contract.folder.path, {}, None), ())

    def call(self, name: str, actor: str, start: int) -> list[Step]:
        """The steps of a procedure for an actor, behind `start` others."""
        reader = _Reader(self._known, {actor})
        reader.count = start
        return [*reader.steps(self._source, [{"call": name, "with": {"actor": actor}}], {}, Charge())]
