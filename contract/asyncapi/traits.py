"""Traits of messages and operations, merged as JSON Merge Patch (RFC 7386) says.

In 3.x the object that has the traits wins. In 2.x each trait is simply a patch of the object, so that the trait wins.
Of two traits, the later one wins.
"""

from typing import Any
from urllib.parse import urljoin

from contract.asyncapi.references import Files, Place

_OWN = ("payload", "traits", "action", "channel", "messages", "message")
"""What no trait can have."""


def with_traits(place: Place, files: Files, trait_wins: bool) -> Place:
    """A message or an operation, with its traits merged into it."""
    if not isinstance(place.value, dict) or not isinstance(place.value.get("traits"), list):
        return place
    merged: Any = {}
    for one in place["traits"]:
        trait = files.follow(one)
        if trait is not None and isinstance(trait.value, dict):
            own = {name: member for name, member in trait.value.items() if name not in _OWN}
            merged = merge_patch(merged, _absolute(own, trait.source.uri))
    merged = merge_patch(place.value, merged) if trait_wins else merge_patch(merged, place.value)
    return Place(place.source, place.where, merged)


def merge_patch(target: Any, patch: Any) -> Any:
    """The target as the patch changes it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, member in patch.items():
        if member is None:
            result.pop(name, None)
        elif isinstance(member, dict) and isinstance(result.get(name), dict):
            result[name] = merge_patch(result[name], member)
        else:
            result[name] = member
    return result


def _absolute(value: Any, base: str) -> Any:
    """A trait may stand in another file; so its references must not depend on the file."""
    if isinstance(value, list):
        return [_absolute(one, base) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: urljoin(base, member) if name == "$ref" and isinstance(member, str) else _absolute(member, base)
        for name, member in value.items()
    }
