"""Numbers as options take them, and what is said of those that they do not take."""

from typing import Any

import click


class Whole(click.IntRange):
    """A whole number within bounds."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number. Raises `click.BadParameter`."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"expected a whole number{_bounds(self)}, got {value!r}", param, ctx)


class Number(click.FloatRange):
    """A number within bounds."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number. Raises `click.BadParameter`."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"expected a number{_bounds(self)}, got {value!r}", param, ctx)


def _bounds(one: click.IntRange | click.FloatRange) -> str:
    if one.min is None:
        return ""
    return f" of at least {one.min}" if one.max is None else f" from {one.min} to {one.max}"
