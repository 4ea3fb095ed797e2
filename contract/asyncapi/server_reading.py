"""Servers, their URLs, and how a client authenticates to them."""

import re
from collections.abc import Iterator

from contract.asyncapi.declarations import SecurityScheme, Server
from contract.asyncapi.references import Files, Notes, Place

_VARIABLE = re.compile(r"\{([^{}]*)\}")


def read_servers(root: Place, files: Files, notes: Notes) -> Iterator[Server]:
    """All servers of a document."""
    for one in root["servers"]:
        place = files.follow(one)
        if place is None:
            continue
        if not isinstance(place.value, dict):
            notes.add("expected a server: a mapping", place)
            continue
        protocol = place.text("protocol")
        security = tuple(_schemes(place["security"], root, files, notes))
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


def _schemes(place: Place, root: Place, files: Files, notes: Notes) -> Iterator[SecurityScheme]:
    for one in place:
        if one.reference is not None or "type" in (one.value if isinstance(one.value, dict) else ()):
            chain = files.chain(one)
            if chain:
                yield _scheme(chain[-1])
            continue
        for required in one:  # 2.x names the schemes
            found = root["components"]["securitySchemes"][required.key]
            if found.value is None:
                notes.add(f"there is no security scheme '{required.key}'", required)
            else:
                chain = files.chain(found)
                if chain:
                    yield _scheme(chain[-1])


def _scheme(place: Place) -> SecurityScheme:
    return SecurityScheme(
        key=place.key if isinstance(place.where[-1], str) else "",
        type=place.text("type"),
        in_=place.text("in"),
        name=place.text("name"),
        scheme=place.text("scheme"),
    )
