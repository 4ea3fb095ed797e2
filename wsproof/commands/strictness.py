"""Commands that take no blank value: an empty variable of a CI job is a mistake, and no wish for the default."""

import os
from typing import Any

import click


class StrictCommand(click.Command):
    """A command whose arguments, options and variables hold something, where they are given at all."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line. Raises `click.UsageError` for what is blank."""
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        for one in self.get_params(ctx):
            _check(ctx, one, given.get(one.name or ""))
        return super().parse_args(ctx, args)


def _check(ctx: click.Context, one: click.Parameter, value: Any) -> None:
    name = one.opts[-1] if isinstance(one, click.Option) else one.make_metavar(ctx).strip("[]")
    texts = [text for text in (value if isinstance(value, list | tuple) else [value]) if isinstance(text, str)]
    if any(not text.strip() for text in texts):
        raise click.UsageError(f"{name} is empty: give it a value, or leave it out.", ctx)
    variable = one.envvar if isinstance(one.envvar, str) else None
    if not texts and variable is not None and not os.environ.get(variable, "set").strip():
        raise click.UsageError(f"{variable} is empty: give it a value, or unset it.", ctx)
