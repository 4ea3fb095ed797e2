"""Catalogues are compiled as Babel compiles them, without Babel."""

import gettext
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from hypothesis import given
from hypothesis import strategies as st

from contract.catalogue import compiled
from contract.language import Catalogues, speaking

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(ROOT.glob("*/locales/*/LC_MESSAGES/*.po"))
HEADER = 'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
ONE = 'msgid "a.one"\nmsgid_plural "a.one"\nmsgstr[0] "one"\nmsgstr[1] "{number} of them"\n'


def texts(catalogue: bytes) -> dict[object, str]:
    found = dict(vars(gettext.GNUTranslations(io.BytesIO(catalogue)))["_catalog"])
    found.pop("", None)
    return found


def by_babel(source: bytes, locale: str = "en") -> dict[object, str]:
    catalogue = io.BytesIO()
    write_mo(catalogue, read_po(io.BytesIO(source), locale=locale))
    return texts(catalogue.getvalue())


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parts[-5]}-{path.parts[-3]}-{path.stem}")
def test_our_catalogues_are_what_babel_makes_of_them(source: Path) -> None:
    assert texts(compiled(source.read_text(encoding="utf-8"))) == by_babel(source.read_bytes(), source.parts[-3])


@given(
    st.dictionaries(
        st.text("abc.", min_size=1, max_size=20),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    )
)
def test_every_text_arrives_as_babel_wrote_it(messages: dict[str, str]) -> None:
    catalogue = Catalog(locale="en", domain="a")
    for name, text in messages.items():
        catalogue.add(name, text)
    written = io.BytesIO()
    write_po(written, catalogue, width=40)
    assert texts(compiled(written.getvalue().decode())) == by_babel(written.getvalue())


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ('msgctxt "menu"\nmsgid "a"\nmsgstr "b"\n', "line 1: expected msgid"),
        ('"text"\n', "line 1: expected msgid"),
        ('msgid "a"\nmsgstr b\n', "line 2: expected msgid"),
        ('msgid "a"\nmsgstr "b" "c"\n', 'line 2: expected one text in "quotes"'),
        ('msgstr "b"\n', "line 1: msgstr is out of place"),
        ('msgid "a"\nmsgstr "b"\nmsgstr "c"\n', "line 3: msgstr is out of place"),
        ('msgid "a"\nmsgstr "b"\n\n# again\nmsgid "a"\nmsgstr "c"\n', "line 5: a is there twice"),
    ],
)
def test_what_it_does_not_know_it_refuses(source: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        compiled(source)


def written(folder: Path, name: str, content: bytes) -> None:
    path = folder / "en" / "LC_MESSAGES" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_po_file_counts_before_a_compiled_one(tmp_path: Path) -> None:
    """Editors leave compiled files beside it, and the next edit makes them old."""
    written(tmp_path, "a.mo", compiled(HEADER + ONE.replace("one", "old")))
    with pytest.raises(KeyError):
        Catalogues(tmp_path).form("a.one")
    written(tmp_path, "a.po", (HEADER + ONE).encode())
    assert [Catalogues(tmp_path).tn("a.one", number) for number in (1, 2_000)] == ["one", "2,000 of them"]


def test_compiled_catalogues_do_alone(tmp_path: Path) -> None:
    written(tmp_path, "a.mo", compiled(HEADER + ONE))
    assert [Catalogues(tmp_path).tn("a.one", number) for number in (1, 2)] == ["one", "2 of them"]
    with pytest.raises(KeyError):
        Catalogues(tmp_path).t("b.one")
    with speaking("ja"), pytest.raises(KeyError):
        Catalogues(tmp_path).t("a.one")


def test_texts_need_no_babel() -> None:
    code = (
        "import sys; sys.modules['babel'] = None\n"
        "from contract.findings import phrase\n"
        "from reports.text.language import speaking, t, tn\n"
        "with speaking('ja'): print(t('common.mark.failed'), phrase('the-message').render())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout.split() == ["不合格", "メッセージ"]
