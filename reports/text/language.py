"""The texts of reports and summaries in the language that is spoken: `locales/` (see `contract.language`)."""

from pathlib import Path
from typing import Final

from contract.language import DEFAULT, LANGUAGES, Catalogues, speaking, spoken

__all__ = ["DEFAULT", "LANGUAGES", "LOCALES", "speaking", "spoken", "t", "tn"]

LOCALES: Final = Path(__file__).resolve().parents[1] / "locales"

_CATALOGUES: Final = Catalogues(LOCALES)
t = _CATALOGUES.t
tn = _CATALOGUES.tn
