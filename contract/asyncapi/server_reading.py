"""Servers, their URLs, and how a client authenticates to them."""

import re
from collections.abc import Iterator, Mapping

from contract.asyncapi.declarations import SecurityScheme, Server
from contract.asyncapi.references import Files, Notes, Place

_VARIABLE = re.compile(r"\{([^{}]*)\}")


def read_servers(files: Files, notes: Notes) -> Iterator[Server]:
    """All servers of a document."""
    known = {one.key: one for one in files.section("components", "securitySchemes")}
    for one in files.section("servers"):
        place = files.follow(one)
        if place is None:
            continue
        if not isinstance(place.value, dict):
            notes.add("expected a server: a mapping", place)
            continue
        protocol = place.text("protocol")
        security = tuple(_schemes(place["security"], known, files, notes))
        yield Server(one.key, _url(place, protocol, files, notes), protocol, security)


def _url(place: Place, protocol: str, files: Files, notes: Notes) -> str:
    """2.x has a URL; 3.x its parts. People write the scheme into either, or leave it out."""
    if place["url"].value is not None:
        url = place.text("url")
    else:
        path = place.text("pathname")
        url = place.text("host").rstrip("/") + ("" if not path or path.startswith("/") else "/") + path
    url = url if "://" in url else f"{protocol or 'ws'}://{url}"
    return _VARIABLE.sub(lambda found: _variable(place, found[1], files, notes), url)


def _variable(server: Place, name: str, files: Files, notes: Notes) -> str:
    place = server["variables"][name]
    variable = files.follow(place) if place.value is not None else None
    if variable is not None:
        value = variable.text("default") or variable["enum"][0].value
        if value:
            return str(value)
    notes.add(f"the server's variable '{name}' has no default", server)
    return f"{{{name}}}"


def _schemes(place: Place, known: Mapping[str, Place], files: Files, notes: Notes) -> Iterator[SecurityScheme]:
    """The schemes that a server asks for: 2.x names them, 3.x has them or refers to them."""
    for one in place:
        if one.reference is not None or one["type"].value is not None:
            yield from _scheme(one, files)
            continue
        for required in one:
            if required.key in known:
                yield from _scheme(known[required.key], files)
            else:
                notes.add(f"there is no security scheme '{required.key}'", required)


def _scheme(one: Place, files: Files) -> Iterator[SecurityScheme]:
    place = files.follow(one)
    if place is None:
        return
    yield SecurityScheme(
        key=place.key if isinstance(place.where[-1], str) else "",
        type=place.text("type"),
        in_=place.text("in"),
        name=place.text("name"),
        scheme=place.text("scheme"),
    )
