"""Expectations as they are shown to people: operators are put into words."""

from collections.abc import Mapping
from typing import Any

from conformance.language.matching import OPERATORS
from contract.findings import Phrase, Text, phrase, words
from contract.json_text import dump_json

Codes = Mapping[str, str]


def described(expected: Any, error_codes: Codes) -> Text:
    """An expectation in words. `error_codes`: the profile's codes of errors by their causes."""
    return words(_in_words(expected, error_codes))


def _in_words(expected: Any, codes: Codes) -> Any:
    if isinstance(expected, Mapping):
        found = [_operator_in_words(name, wanted, codes) for name, wanted in expected.items() if name in OPERATORS]
        if found:
            return found[0] if len(found) == 1 else phrase("all-of", items=found)
        return {name: _in_words(wanted, codes) for name, wanted in expected.items()}
    if isinstance(expected, list):
        return [_in_words(wanted, codes) for wanted in expected]
    return expected


def _operator_in_words(name: str, wanted: Any, codes: Codes) -> Phrase:
    match name:
        case "$absent":
            return phrase("match-absent" if wanted else "match-present")
        case "$error_code":
            code = codes.get(str(wanted))
            return phrase("match-any-code") if code is None else phrase("match-code", code=code)
        case "$not" | "$optional":
            return phrase(f"match-{name[1:]}", wanted=described(wanted, codes))
        case "$any" | "$nonempty":
            return phrase(f"match-{name[1:]}")
        case "$all":
            return phrase("all-of", items=_items(wanted, codes))
        case "$in":
            return phrase("match-in", items=[described(one, codes) for one in wanted])
        case "$unordered":
            return phrase("match-unordered", items=_items(wanted, codes))
        case "$prefix" if isinstance(wanted, list):
            return phrase("match-prefix-list", items=_items(wanted, codes))
        case "$between":
            return _between(*wanted)
        case _:
            return phrase(f"match-{name[1:]}", wanted=_text(wanted))


def _items(wanted: Any, codes: Codes) -> list[Text]:
    found = ((one, _in_words(one, codes)) for one in wanted)
    return [said if isinstance(said, Phrase) else described(one, codes) for one, said in found]


def _between(low: Any, high: Any) -> Phrase:
    if high is None:
        return phrase("match-least", low=_text(low))
    if low is None:
        return phrase("match-most", high=_text(high))
    return phrase("match-between", low=_text(low), high=_text(high))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dump_json(value)
