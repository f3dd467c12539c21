"""Groups of commands that know what was meant by a mistyped name."""

import click

from ..errors import did_you_mean

__all__ = ["Group"]


class Group(click.Group):
    """A group of commands; the refusal of a name that it does not have names the nearest one."""

    def resolve_command(self, ctx: click.Context,
                        args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not (name.startswith("-") or ctx.resilient_parsing or self.get_command(ctx, name)):
            ctx.fail(f"there is no command {name!r}{did_you_mean(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)
