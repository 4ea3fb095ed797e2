"""The probe of a contract with the longest text that the schema of its message has room for."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from contract.model import Contract
from contract.roles import Probe

TEXT = "${text}"
"""What stands for the probe's text."""


@cache
def probe_of(contract: Contract) -> Probe | None:
    """The contract's probe; its `most` is what the contract says, or less where the schema allows less."""
    probe = contract.roles.probe
    if probe is None or probe.send is None:
        return probe
    name = contract.name_of(probe.send, "client")
    event = contract.events.get(name) if name is not None else None
    if event is None:
        return probe
    _, part = contract.part_of(probe.send)
    longest = [probe.most]
    for where, beside in _places(part):
        declared = event.declared
        for step in where:
            declared = declared.item(step) if isinstance(step, int) else declared.member(step)
        if declared.longest is not None:
            longest.append(max(declared.longest - beside, 1))
    return replace(probe, most=min(longest))


def _places(value: Any, where: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """Where the probe's text stands, and how many characters stand beside it there."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _places(member, (*where, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _places(member, (*where, index))
    elif isinstance(value, str) and TEXT in value:
        yield where, len(value) - len(TEXT)
