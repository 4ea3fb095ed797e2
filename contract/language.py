"""Texts in the language that is spoken at the moment.

Code and templates name a text by its id (`load.closes.none`); what it says stands in catalogues, one folder a language
and one file a domain, which is the id's first part. They are gettext's `.po` files, and any of its editors opens them.
An id, and not an English sentence, is the key: so nobody changes a sentence in one place and loses its translation in
another, and English has its plurals where every language has them.

In a checkout the `.po` files are read, each compiled when it is first needed, in a few milliseconds. A wheel has `.mo`
files in their place (`hatch_build.py`). Where there is a `.po` file it counts, so nothing can be out of date.
"""

import gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("en", "ja")
DEFAULT: Final = "en"

_SPOKEN: Final[ContextVar[str]] = ContextVar("language", default=DEFAULT)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Have every text inside the block in one of `LANGUAGES`."""
    token = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def spoken() -> str:
    """The language that texts are in at the moment."""
    return _SPOKEN.get()


class Catalogues:
    """The catalogues under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[tuple[str, str], gettext.NullTranslations] = {}

    def form(self, name: str, number: float | None = None) -> str:
        """The text with this id, its ``{names}`` not put in yet; with a number, the plural form that it needs.

        Raises `KeyError` for an unknown id.
        """
        catalogue = self._catalogue(spoken(), name.partition(".")[0])
        found = catalogue.gettext(name) if number is None else catalogue.ngettext(name, name, int(number))
        if found == name:
            raise KeyError(name)
        return found

    def t(self, name: str, /, **values: object) -> str:
        """The text with this id, `values` put in for its ``{names}``. Raises `KeyError` for an unknown id."""
        found = self.form(name)
        return found.format_map(values) if values else found

    def tn(self, name: str, number: float, /, **values: object) -> str:
        """The text with this id in the plural form that `number` needs, which stands in it as ``{number}``: ``12,345``.

        Raises `KeyError` for an unknown id.
        """
        return self.form(name, number).format_map({**values, "number": f"{int(number):,}"})

    def _catalogue(self, language: str, domain: str) -> gettext.NullTranslations:
        if (language, domain) not in self._read:
            self._read[language, domain] = gettext.GNUTranslations(io.BytesIO(self._compiled(language, domain)))
        return self._read[language, domain]

    def _compiled(self, language: str, domain: str) -> bytes:
        from contract.catalogue import compiled  # which a wheel never needs

        source = self.folder / language / "LC_MESSAGES" / f"{domain}.po"
        try:
            return compiled(source.read_text(encoding="utf-8"))
        except FileNotFoundError:
            pass
        try:
            return source.with_suffix(".mo").read_bytes()
        except FileNotFoundError:
            raise KeyError(domain) from None
