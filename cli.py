"""The command line: ``firstspike COMMAND ...``. Each command calls the library function of its name."""

import sys
from collections import UserDict
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from . import __version__
from .commands.group import Group
from .console import main_program

__all__ = ["firstspike", "main"]

COMMANDS = {
    "demo": "demo.demo",
    "boards": "look.boards",
    "info": "look.info",
    "score": "look.score",
    "build": "build.build",
    "synth": "build.synth",
    "bitstream": "build.bitstream",
    "program": "build.program",
    "verify": "verify.verify",
    "run": "verify.run",
    "report": "report.report",
    "compare": "report.compare",
    "train": "train.train",
    "convert": "convert.convert",
    "import": "exchange.import_",
    "export": "exchange.export",
}
"""Every command, and its module and name in ``commands``."""


class Commands(UserDict[str, Any]):
    """The commands by their names; each is imported when it is first asked for."""

    def __getitem__(self, name: str) -> click.Command:
        if isinstance(self.data[name], str):
            module, _, place = self.data[name].partition(".")
            self.data[name] = getattr(import_module(f".commands.{module}", __package__), place)
        return self.data[name]


@click.group(cls=Group, commands=Commands(COMMANDS),
             context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="Firstspike %(version)s")
def firstspike() -> None:
    """Turn a trained binary-weight spiking network into Verilog for a board or a chip, and prove that the
    hardware and the software model are the same, spike for spike.

    \b
    The way from a network to a board:
      firstspike demo                                          all of it, with a network that is here
      firstspike boards                                        what can be targeted
      firstspike info mnist-784-600-10-online                  what a network is made of
      firstspike build mnist-784-600-10-online --board ulx3s-85f -o build/x
      firstspike verify build/x --images DIR --count 100       every spike, against the golden model
      firstspike synth build/x                                 resources and clock
      firstspike bitstream build/x
      firstspike program build/x
      firstspike run build/x --port /dev/ttyUSB0 digit.png

    NET is a network file (.safetensors) or the name of a network that comes with Firstspike. Each command has
    a --help of its own. Exit codes: 0 done, 1 a verification found a mismatch, 2 something is wrong with
    a file, a tool or an argument (one sentence says what), 130 interrupted.

    \b
    Completion of commands, options, networks, boards and recipes, for bash (or zsh, or fish):
      eval "$(_FIRSTSPIKE_COMPLETE=bash_source firstspike)"
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(main_program(firstspike, args))


if __name__ == "__main__":
    main()
