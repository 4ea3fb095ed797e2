"""URLs as they go over the wire: ASCII alone, and nothing changed that was written in it."""

import re
from urllib.parse import quote, urlsplit

_DEVIATIONS = re.compile("[\u00df\u03c2\u1e9e\u200c\u200d]")
"""Characters that the two versions of IDNA make different names of."""


def ascii_url(url: str) -> str:
    """The URL with its host in IDNA, and what is no ASCII percent-encoded as UTF-8; escapes that stand there stay.

    Raises ValueError where the host or the port is none.
    """
    parts = urlsplit(url)
    port = "" if parts.port is None else f":{parts.port}"
    if url.isascii():
        return url
    host = _ascii_host(parts.hostname or "")
    rest = url.partition("://")[2]
    after = re.search("[/?#]", rest)
    return f"{parts.scheme}://{host}{port}{escaped(rest[after.start() :]) if after is not None else ''}"


def _ascii_host(host: str) -> str:
    if host.isascii():
        return f"[{host}]" if ":" in host else host
    if _DEVIATIONS.search(host):
        raise ValueError(f"{host} is ambiguous: write it in ASCII form, xn--…")
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError(f"{host} is not a valid host name (IDNA)") from None


def escaped(text: str) -> str:
    """A path, a query or both with what is no ASCII percent-encoded."""
    return re.sub("[^\\x00-\\x7f]+", lambda found: quote(found.group()), text)
