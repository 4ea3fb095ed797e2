"""`--write-baseline`: what a run decided is brought up to date, and all else stays in the file as it stands there.

Entries keep their text, comments included, where the file has the usual form: a list of one entry after the other, at
the end. A file of another form is written anew, with the same entries.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.judge.baseline import TO_DO, BaselineEntry, baseline_text
from conformance.judge.verdicts import Rules, ScenarioVerdict, requirement_verdicts, run_verdict
from contract.errors import ContractError
from contract.files import parse_yaml, read_text
from contract.requirements import Requirement


@dataclass(frozen=True, slots=True)
class Former:
    """What a baseline is made of: the text of the file, if there is one, its entries, and those of other files."""

    text: str | None = None
    entries: tuple[BaselineEntry, ...] = ()
    others: tuple[BaselineEntry, ...] = ()


def former(path: Path, read: Iterable[BaselineEntry], beside: Iterable[BaselineEntry] = ()) -> Former:
    """The file of a baseline with its entries, and those that it does not list. Raises `ContractError`."""
    entries = tuple(read)
    listed = {one.name for one in entries}
    return Former(read_text(path), entries, tuple(one for one in beside if one.name not in listed))


def updated_baseline(
    before: Former, rules: Rules, requirements: Mapping[str, Requirement], played: Sequence[ScenarioVerdict]
) -> str:
    """The text of a baseline with which this run would pass.

    What the run shows to be stale is left out. What has expired and fails still gets a reason that asks for another
    date. What else fails is added, and what the run does not decide stays.
    """
    judged = requirement_verdicts(requirements, played)
    rules = replace(rules, baseline=(*before.entries, *before.others))
    states = {entry.name: state for entry, state in run_verdict(rules, judged, played, complete=True).baseline}
    kept = {
        one.name: _renewed(one) if states[one.name] == "expired" else one
        for one in rules.baseline or ()
        if states[one.name] != "stale"
    }
    rules = replace(rules, baseline=tuple(kept.values()))
    new = [
        BaselineEntry(one.requirement.id, None, TO_DO)
        for one in judged
        if any(
            clause.verdict == "failed"
            and clause.level in rules.binding
            and rules.expected_clause(one.requirement.id, clause.level, played) is None
            for clause in one.clauses
        )
    ]
    listed = {one.name for one in before.entries}
    added = [*(one for name, one in kept.items() if name not in listed), *new]
    return _text(before, kept, added)


def _renewed(one: BaselineEntry) -> BaselineEntry:
    return replace(one, reason=f"TODO: expired on {one.expires}, and still fails. {one.reason}", expires=None)


def _text(before: Former, kept: Mapping[str, BaselineEntry], added: Sequence[BaselineEntry]) -> str:
    wanted = [*(kept[one.name] for one in before.entries if one.name in kept), *added]
    if before.text is not None:
        edited = _edited(before.text, before.entries, kept, added)
        if edited is not None and _lists(edited, wanted):
            return edited
    return baseline_text(wanted)


def _edited(
    text: str, entries: Sequence[BaselineEntry], kept: Mapping[str, BaselineEntry], added: Sequence[BaselineEntry]
) -> str | None:
    """The text with its entries brought up to date; None where they do not stand one after the other."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    if not entries:
        return None
    starts = [_start(lines, one.line - 1) for one in entries]
    if starts != sorted(set(starts)):
        return None
    ends = [*starts[1:], len(lines)]
    dash = next((line for line in lines[starts[0] :] if line.lstrip().startswith("-")), "")
    indent = dash[: len(dash) - len(dash.lstrip())]
    parts = [*lines[: starts[0]]]
    for one, start, end in zip(entries, starts, ends, strict=True):
        chunk = lines[start:end]
        if one.name in kept and kept[one.name] != one:
            comments = [line for line in chunk if line.lstrip().startswith("#")]
            chunk = [*comments, *_listed(kept[one.name], indent)]
        parts += chunk if one.name in kept else []
    return "".join(parts + [line for one in added for line in _listed(one, indent)])


def _start(lines: Sequence[str], line: int) -> int:
    """Where an entry begins: with the comments above it, and a dash that stands alone."""
    while line > 0 and (lines[line - 1].lstrip().startswith("#") or lines[line - 1].strip() == "-"):
        line -= 1
    return line


def _listed(one: BaselineEntry, indent: str) -> list[str]:
    written = baseline_text([one]).split("entries:\n", 1)[1]
    return [f"{indent}{line}\n" for line in written.splitlines()]


def _lists(text: str, wanted: Sequence[BaselineEntry]) -> bool:
    """Whether a text is a baseline of just these entries."""
    try:
        entries = parse_yaml(text, Path()).value["entries"]
        found = [{**one, "reason": one["reason"].strip()} for one in entries]
    except (ContractError, KeyError, TypeError, AttributeError):
        return False
    return bool(found == parse_yaml(baseline_text(wanted), Path()).value["entries"])
