"""Compiles gettext's `.po` files into its `.mo` files, which the standard library reads.

What it takes is what our catalogues hold: ids, texts, plural forms and comments. Anything else is refused, so that no
line is left out unseen. The wheel is built with it (`hatch_build.py`), so it imports nothing of ours.
"""

import json
import re
import struct
from collections.abc import Iterator
from typing import Final

_LINE: Final = re.compile(r'(?:(msgid|msgid_plural|msgstr|msgstr\[\d\])[ \t]+)?(".*")')
_MAGIC: Final = 0x950412DE
_HEADER: Final = struct.Struct("<7I")
_PLACE: Final = struct.Struct("<2I")
"""How long a text is, and where it begins, in bytes."""


def compiled(text: str) -> bytes:
    """The `.mo` file of a `.po` file's text. Raises `ValueError`, which names the line."""
    messages = {}
    for number, entry in _entries(text):
        name = entry.pop("msgid")
        if name in messages:
            raise ValueError(f"line {number}: {name} is there twice")
        messages[name] = entry
    pairs = sorted(_encoded(name, entry) for name, entry in messages.items())
    texts = [name for name, _ in pairs] + [forms for _, forms in pairs]
    start = _HEADER.size + _PLACE.size * len(texts)
    places, body = bytearray(), bytearray()
    for one in texts:
        places += _PLACE.pack(len(one), start + len(body))
        body += one + b"\0"
    # The table of hashes at the end is empty: readers need none.
    header = (_MAGIC, 0, len(pairs), _HEADER.size, _HEADER.size + _PLACE.size * len(pairs), 0, start)
    return _HEADER.pack(*header) + places + body


def _entries(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each entry by its keywords, with the line that it begins in."""
    first, keyword, entry = 0, "", dict[str, str]()
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None or not (found[1] or keyword):
            raise ValueError(f'line {number}: expected msgid, msgid_plural or msgstr, and a text in "quotes"')
        if found[1] == "msgid":
            if entry:
                yield first, entry
            first, entry = number, {}
        keyword = found[1] or keyword
        if found[1] in entry or "msgid" not in {keyword, *entry}:
            raise ValueError(f"line {number}: {keyword} is out of place")
        entry[keyword] = entry.get(keyword, "") + _text(found[2], number)
    if entry:
        yield first, entry


def _text(quoted: str, number: int) -> str:
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError:
        raise ValueError(f'line {number}: expected one text in "quotes"') from None


def _encoded(name: str, entry: dict[str, str]) -> tuple[bytes, bytes]:
    plural = entry.pop("msgid_plural", None)
    names = [name] if plural is None else [name, plural]
    return "\0".join(names).encode(), "\0".join(entry[form] for form in sorted(entry)).encode()
