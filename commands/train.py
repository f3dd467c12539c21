"""``train``: one command a recipe, with the recipe's own options."""

from pathlib import Path
from typing import Any

import click

from .. import load
from ..console import epochs, say, show_pairs
from .group import Group
from .options import FOLDER, complete_networks

__all__ = ["train"]


class Recipes(Group):
    """One command a recipe, with the recipe's own options."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from ..quantize.train import RECIPES
        return list(RECIPES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from ..quantize.train import RECIPES
        return training(RECIPES[cmd_name]) if cmd_name in RECIPES else None


@click.group(cls=Recipes, short_help="Train a network by a recipe.")
def train() -> None:
    """Train a network by a recipe; needs the train extra (pip install 'firstspike[train]').

    \b
    Examples:
      firstspike train mnist-mlp --data data/mnist -o mine.safetensors
      firstspike train mnist-mlp --data data/mnist -o small.safetensors --hidden 128 --phase windowed
      firstspike train mnist-mlp --help
    """


def training(recipe: Any) -> click.Command:
    """The command that trains by ``recipe``."""
    def call(data: Path, out: Path, device: str, resume: bool, **chosen: Any) -> None:
        from ..gen.check import hardware
        from ..models import find
        from ..quantize.train import train
        from ..report.facts import notes_facts
        try:
            recipe.settings(**chosen)
        except (TypeError, ValueError) as error:
            raise click.UsageError(str(error)) from None
        if chosen.get("teacher"):
            chosen["teacher"] = str(find(chosen["teacher"]))
        try:
            with epochs() as progress:
                trained = train(recipe.name, data, out, device=device, resume=resume, progress=progress,
                                **chosen)
        except KeyboardInterrupt:
            left = [path for end in ("pt", "npz") if (path := out.with_suffix(f".checkpoint.{end}")).exists()]
            if left:
                click.echo(f"What was trained so far is in {left[0]}: go on with --resume.", err=True)
            raise
        built = {"Hardware": hardware(load(trained.path))}
        show_pairs(notes_facts(trained.figures) | built, f"Wrote {trained.path}")
        for picture in trained.pictures:
            say(f"  {picture}", style="dim")

    options: list[click.Parameter] = [
        click.Option(["--data"], type=FOLDER, required=True, metavar="DIR", help="The folder of IDX files."),
        click.Option(["-o", "--out"], type=FOLDER, required=True, metavar="NET", help="The file to write."),
        click.Option(["--device"], default="cpu", show_default=True, help="cpu or cuda."),
        click.Option(["--resume"], is_flag=True, help="Go on where an interrupted training stopped."),
    ]
    for option in recipe.options:
        plain: Any = option.default
        if isinstance(plain, tuple):
            plain = ",".join(map(str, plain))
        options.append(click.Option(
            [f"--{option.name}"], default=plain, show_default=True, help=option.help,
            is_flag=isinstance(plain, bool),
            shell_complete=complete_networks if option.name == "teacher" else None,
            type=click.Choice(option.choices) if option.choices else None))
    return click.Command(
        recipe.name, callback=call, params=options, short_help=recipe.title,
        help=f"{recipe.title}. An interrupted training leaves a checkpoint to --resume from.")
