"""Regular expressions that an endpoint's texts are held against: found in a time that is linear in the text.

The engine is Rust's `regex`, by way of jsonschema_rs. It has neither look-around nor back-references, and so no pattern
and no text that could hold a run up.
"""

from functools import lru_cache

import jsonschema_rs


def regular_problem(pattern: object) -> str | None:
    """Why a value is no such pattern; None where it is one."""
    if not isinstance(pattern, str):
        return "expected a regular expression"
    try:
        _compiled(pattern)
    except ValueError:
        return f"not a regular expression (without look-around and back-references): {pattern!r}"
    return None


def found_in(pattern: str, text: str) -> bool:
    """Whether a pattern is found anywhere in a text. Raises ValueError where `regular_problem` has one."""
    compiled = _compiled(pattern)
    try:
        return compiled.is_valid(text)
    except ValueError:
        return False  # a lone surrogate, which a JSON text may spell, is no character


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> jsonschema_rs.Draft202012Validator:
    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions())
    except (ValueError, jsonschema_rs.ValidationError) as error:
        raise ValueError(pattern) from error
