"""Numbers and times as people read them. An absent value is an en dash."""

from datetime import UTC, datetime
from typing import Final

from reports.text.language import t

NOTHING: Final = "\N{EN DASH}"


def count(value: float) -> str:
    """A whole number with thousands separated: ``12,345``."""
    return f"{int(value):,}"


def measured(value: float | None) -> str:
    """A measurement (such as milliseconds) to about three digits: ``0.84``, ``212``."""
    if value is None:
        return NOTHING
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def share(part: float, whole: float) -> str:
    """A part in per cent, with as many digits as tell it from nothing and from all: ``0.0086 %``."""
    if not whole:
        return NOTHING
    percent = 100 * part / whole
    if part in (0, whole):
        return f"{percent:.0f} %"
    digits = next((digits for digits in (1, 2, 3) if round(min(percent, abs(100 - percent)), digits)), 4)
    return f"{percent:.{digits}f} %" if round(percent, 4) else t("common.under", share="0.0001 %")


def seconds(value: float) -> str:
    """A duration given in seconds: ``3.2 s``, ``5 min 3 s``, ``1 h 2 min``."""
    if value < 59.95:
        return t("common.time.s", s=f"{value:.1f}")
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return t("common.time.min-s" if rest else "common.time.min", min=minutes, s=rest)
    hours, minutes = divmod(minutes, 60)
    return t("common.time.h-min" if minutes else "common.time.h", h=f"{hours:,}", min=minutes)


def moment(text: str) -> str:
    """An RFC 3339 instant as ``2026-11-23 02:05:00 UTC``; what cannot be read stays as it is."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def setting(value: object) -> str:
    """A setting of a run on one line."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return t("common.yes" if value else "common.no")
    if isinstance(value, float):
        return str(value).removesuffix(".0")
    if isinstance(value, list):
        return ", ".join(setting(item) for item in value) or NOTHING
    if isinstance(value, dict):
        return ", ".join(f"{name}: {setting(item)}" for name, item in value.items()) or NOTHING
    return str(value)
