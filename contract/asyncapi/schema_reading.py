"""Schemas of any draft, in any file of a document, as JSON Schema 2020-12 with absolute references.

A schema is translated once, where it stands; what it refers to waits in a queue, so that recursive schemas stay
references. What is no schema, or refers to what is not there, is noted, and only that part is not checked.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote, urldefrag, urljoin

from contract.asyncapi.drafts import (
    EXPECTED,
    IDENTITY,
    IN_PLACE,
    IN_PLACE_LISTS,
    RESTRICTING,
    SCHEMA_LISTS,
    SCHEMA_MAPS,
    SCHEMAS,
    Draft,
    draft_named,
    file_draft,
    ignores_siblings,
    is_annotation,
    is_pattern,
    modernise,
    with_null,
)
from contract.asyncapi.references import BrokenReferenceError, Files, Notes, Place
from contract.schemas import pointer


@dataclass(frozen=True, slots=True)
class Scope:
    """What a schema inherits from those around it: the draft, and the schemas in which `#/…` may begin."""

    draft: Draft
    roots: tuple[Place, ...] = ()
    identifier: str = ""


class SchemaReader:
    """Translates schemas, and keeps those that something refers to."""

    def __init__(self, files: Files, notes: Notes) -> None:
        self.files = files
        self.notes = notes
        self.targets: dict[Place, Any] = {}
        """Each place that a reference leads to, with its translated schema."""
        self.uris: dict[Place, str] = {}
        """The URI by which translated schemas refer to each of these places."""
        self.resources: dict[str, Place] = {}
        """The place that each of these URIs, without its fragment, is of."""
        self.leads_to: dict[int, Place] = {}
        """The place to which the `$ref` of a translated schema leads, by the schema's id."""
        self._waiting: deque[tuple[Place, Scope]] = deque()
        # The value is kept beside the result: an id may be used again for another one.
        self._read: dict[tuple[int, Draft], tuple[Any, Any]] = {}

    def schema(self, place: Place, draft: Draft) -> Any:
        """The translated schema at a place, which can be referred to from now on."""
        scope = Scope(draft, (place,))
        if place not in self.targets:
            self.targets[place] = self._translate(place, scope)
        self._finish()
        return self.targets[place]

    def _finish(self) -> None:
        while self._waiting:
            place, scope = self._waiting.popleft()
            if place not in self.targets:
                self.targets[place] = self._translate(place, scope)

    def _translate(self, place: Place, scope: Scope) -> Any:
        value = place.value
        if isinstance(value, bool):
            return value
        if not isinstance(value, dict):
            self.notes.add("expected a schema: a mapping, true or false; it is not checked", place)
            return True
        scope = _own(place, scope)
        key = (id(value), scope.draft)
        if key not in self._read:
            self._read[key] = (value, self._translate_mapping(place, scope))
        return self._read[key][1]

    def _translate_mapping(self, place: Place, scope: Scope) -> Any:
        is_reference = place.reference is not None
        result = self._reference(place, scope) if is_reference else {}
        for member in place:
            if not (is_reference and self._is_ignored(member, scope.draft)) and member.key not in IDENTITY:
                self._keyword(member, scope, result)
        modernise(result)
        if "nullable" in result:
            return self._nullable(place, scope, result)
        return result

    def _is_ignored(self, member: Place, draft: Draft) -> bool:
        """Whether a keyword beside a `$ref` has no meaning. `nullable` is always meant."""
        if member.key == "$ref":
            return True
        ignored = ignores_siblings(draft) and not is_annotation(member.key) and member.key != "nullable"
        if ignored and member.key in RESTRICTING:
            self.notes.add(f"{member.key}: ignored beside $ref, as before JSON Schema 2019-09", member)
        return ignored

    def _nullable(self, place: Place, scope: Scope, result: dict[str, Any]) -> Any:
        if result["nullable"] is not True:
            del result["nullable"]
            return result
        if scope.draft != "openapi-3.0":
            self.notes.add("nullable: not a keyword of JSON Schema; read as in OpenAPI 3.0", place["nullable"])
        return with_null(result)

    def _keyword(self, member: Place, scope: Scope, result: dict[str, Any]) -> None:
        name, value = member.key, member.value
        if name in ("$dynamicRef", "$recursiveRef") and isinstance(value, str):
            result.setdefault("allOf", []).append(self._reference(member, scope, value))
        elif name in SCHEMA_MAPS or name == "dependencies":
            if self._is(dict, member, "a mapping of names to schemas"):
                known = [inner for inner in member if name != "patternProperties" or self._is_pattern(inner)]
                result[name] = {inner.key: self._dependency(inner, scope) for inner in known}
        elif name in SCHEMA_LISTS:
            if self._is(list, member, "a list of schemas") and value:
                result[name] = [*(self._translate(inner, scope) for inner in member), *result.get(name, ())]
        elif name in ("items", "additionalItems") and isinstance(value, list):
            result[name] = [self._translate(inner, scope) for inner in member]
        elif name in SCHEMAS or name == "additionalItems":
            result[name] = self._translate(member, scope)
        elif name in EXPECTED and not EXPECTED[name][0](value):
            self.notes.add(f"{name}: expected {EXPECTED[name][1]}; it is not checked", member)
        else:
            result[name] = list(dict.fromkeys(value)) if name == "required" else value

    def _dependency(self, member: Place, scope: Scope) -> Any:
        if member.where[-2] == "dependencies" and isinstance(member.value, list):
            return list(dict.fromkeys(name for name in member.value if isinstance(name, str)))
        return self._translate(member, scope)

    def _is_pattern(self, member: Place) -> bool:
        if not is_pattern(member.key):
            self.notes.add("patternProperties: expected a regular expression as the name; it is not checked", member)
        return is_pattern(member.key)

    def _is(self, kind: type, member: Place, expected: str) -> bool:
        if not isinstance(member.value, kind):
            self.notes.add(f"{member.key}: expected {expected}; it is not checked", member)
        return isinstance(member.value, kind)

    def _reference(self, place: Place, scope: Scope, reference: str | None = None) -> dict[str, Any]:
        text = reference if reference is not None else str(place.reference)
        try:
            target = self._payload(self._target(place, text, scope), place)
        except (BrokenReferenceError, ValueError) as error:
            self.notes.add(f"$ref to '{text}': {error}; this part is not checked", place["$ref"])
            return {}
        self._waiting.append((target, _onward(place, target, scope)))
        result = {"$ref": self._uri(target)}
        self.leads_to[id(result)] = target
        return result

    def _uri(self, place: Place) -> str:
        """The absolute URI of a place. A number makes a resource of it: whoever looks one up takes in all of it."""
        if place not in self.uris:
            fragment = quote(pointer(place.where), safe="/~!$&'()*+,;=:@")
            resource = f"{place.source.uri}?{len(self.uris)}" if fragment else place.source.uri
            self.resources[resource] = place
            self.uris[place] = f"{resource}#{fragment}" if fragment else resource
        return self.uris[place]

    def _payload(self, target: Place, place: Place) -> Place:
        """The target; if it is a message, which as a schema would permit anything, its payload."""
        value = target.value
        if not isinstance(value, dict) or "payload" not in value or value.keys() & RESTRICTING:
            return target
        self.notes.add(f"$ref to '{place.reference}': that is a message; its payload is taken", place["$ref"])
        return target["payload"]

    def _target(self, place: Place, reference: str, scope: Scope) -> Place:
        uri, fragment = urldefrag(reference)
        found = _identified(place, reference, scope)
        if found is not None:
            return self.files.inside(found, unquote(fragment) if fragment.startswith("/") else "")
        if uri:
            return self.files.target(place, reference)
        # `#/…` begins at the closest schema with an `$id`; most people mean the file. A schema that was pasted into
        # a document still refers to its own definitions.
        roots = [*reversed(scope.roots)]
        is_schema = fragment or "asyncapi" not in (place.source.root.value or ())
        roots.insert(1 if scope.identifier or not is_schema else 0, place.source.root)
        for root in roots:
            try:
                return self.files.inside(root, unquote(fragment))
            except BrokenReferenceError:
                continue
        return self.files.target(place, reference)


def _onward(place: Place, target: Place, scope: Scope) -> Scope:
    """The scope of what a schema refers to."""
    if target.source is not place.source:
        return Scope(file_draft(target.source.document.value) or scope.draft, (target.source.root,))
    around = tuple(root for root in scope.roots if target.where[: len(root.where)] == root.where)
    return replace(scope, roots=around) if around else Scope(scope.draft, (target,))


def _own(place: Place, scope: Scope) -> Scope:
    """The scope inside a schema that may name its draft and itself."""
    value = place.value
    draft = draft_named(value.get("$schema"))
    if draft is not None:
        scope = replace(scope, draft=draft)
    identifier = value.get("$id")
    if isinstance(identifier, str) and not identifier.startswith("#"):
        scope = replace(scope, identifier=urljoin(scope.identifier, identifier), roots=(*scope.roots, place))
    return scope


def _identified(place: Place, reference: str, scope: Scope) -> Place | None:
    """The schema of the same file that has the reference as its `$id` or as its anchor."""
    if reference.startswith("#/") or reference == "#":
        return None
    known = place.source.identifiers
    uri, fragment = urldefrag(reference)
    anchor = f"#{fragment}" if fragment and not fragment.startswith("/") else ""
    names = [f"{uri}{anchor}", anchor] if not uri else [uri, urljoin(scope.identifier, uri)]
    for name in names:
        if name and name in known:
            found = place.source.root
            for step in known[name]:
                found = found[step]
            return found
    return None


def in_place(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema, and those in it that are applied to the same value."""
    if not isinstance(schema, dict):
        return
    yield schema
    for name in IN_PLACE_LISTS:
        for inner in schema.get(name, ()):
            yield from in_place(inner)
    for name in IN_PLACE:
        yield from in_place(schema.get(name))
    for inner in schema.get("dependentSchemas", {}).values():
        yield from in_place(inner)
