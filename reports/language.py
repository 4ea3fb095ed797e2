"""The texts of reports and summaries, in the language that is spoken at the moment.

Code and templates name a text by its id (`load.closes.none`); what it says stands in the catalogues under `locales/`,
one folder a language and one file a domain, which is the id's first part. They are gettext's `.po` files, and any of
its editors opens them. An id, and not an English sentence, is the key: so nobody changes a sentence in one place and
loses its translation in another, and English has its plurals where every language has them.
"""

import gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES: Final = ("en", "ja")
DEFAULT: Final = "en"
LOCALES: Final = Path(__file__).resolve().parent / "locales"

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


def t(name: str, /, **values: object) -> str:
    """The text with this id, `values` put in for its ``{names}``. Raises `KeyError` for an unknown id."""
    found = _catalogue(_SPOKEN.get(), name.partition(".")[0]).gettext(name)
    if found == name:
        raise KeyError(name)
    return found.format_map(values) if values else found


def tn(name: str, number: float, /, **values: object) -> str:
    """The text with this id in the plural form that `number` needs, which stands in it as ``{number}``: ``12,345``.

    Raises `KeyError` for an unknown id.
    """
    found = _catalogue(_SPOKEN.get(), name.partition(".")[0]).ngettext(name, name, int(number))
    if found == name:
        raise KeyError(name)
    return found.format_map({"number": f"{int(number):,}", **values})


def ids(domain: str) -> tuple[str, ...]:
    """The ids of a domain, in the order of its English catalogue. Raises `KeyError` for an unknown domain."""
    with _file(DEFAULT, domain).open("rb") as stream:
        return tuple(str(message.id) for message in read_po(stream, locale=DEFAULT, domain=domain) if message.id)


def _file(language: str, domain: str) -> Path:
    file = LOCALES / language / "LC_MESSAGES" / f"{domain}.po"
    if not file.is_file():
        raise KeyError(domain)
    return file


@cache
def _catalogue(language: str, domain: str) -> gettext.NullTranslations:
    compiled = io.BytesIO()
    with _file(language, domain).open("rb") as stream:
        write_mo(compiled, read_po(stream, locale=language, domain=domain))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
