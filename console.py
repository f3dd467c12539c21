"""How the command line speaks: tables and sentences on stdout, progress and errors on stderr."""

import errno
import json
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from .errors import FirstspikeError
from .printable import printable

__all__ = ["counting", "epochs", "main_program", "say", "show_json", "show_pairs", "show_table", "working"]

stdout = Console(highlight=False, soft_wrap=True)
stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str, style: str = "") -> None:
    """Print one line; ``text`` is taken literally."""
    stdout.print(_literally(text, style))


def _literally(text: object, style: str = "") -> Text:
    """``text`` for the terminal, whoever wrote it: no markup, no control characters, one line."""
    return Text(printable(text), style=style)


def show_json(value: Any) -> None:
    """Print ``value`` as JSON, keys in their order, for programs to read."""
    click.echo(json.dumps(value, indent=2))


def show_table(heads: Sequence[str], lines: Sequence[Sequence[object]], *, title: str = "",
               numbers: Sequence[int] = (), grouped: bool = False) -> None:
    """Print a table; every cell is taken literally.

    It is as wide as it needs to be. In a terminal that is narrower, long cells are wrapped between words;
    where words would have to be broken, the cells of a row stand one below the other, beside their heads.

    Parameters
    ----------
    heads, lines : sequence
        The columns' heads, and the rows.
    title : str
        Stands above.
    numbers : sequence of int
        The columns that are set right.
    grouped : bool
        Whether an empty line parts the rows whose first cell is not empty from those above.
    """
    rows = [[cell if isinstance(cell, Text) else _literally(cell) for cell in line] for line in lines]
    columns = list(zip(map(_literally, heads), *rows, strict=True))
    whole = [max(text.cell_len for text in column) for column in columns]
    least = [width if place in numbers or (place == 0 and width <= 24) else _longest_word(column)
             for place, (width, column) in enumerate(zip(whole, columns, strict=True))]
    widths = _widths(whole, least, stdout.width - 2 * len(heads)) if stdout.file.isatty() else whole
    if title:
        say(title, "bold")
    if widths is None:
        for row in rows:
            named = [(head, cell.plain) for head, cell in zip(heads, row, strict=True) if cell.plain.strip()]
            for line in textwrap.wrap(named[0][1], stdout.width) if named else ():
                say(line, "bold")
            show_pairs(named[1:])
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), pad_edge=False, header_style="bold")
    for place, (column, width) in enumerate(zip(columns, widths, strict=True)):
        table.add_column(column[0], justify="right" if place in numbers else "left", width=width)
    for row, after in zip(rows, [*rows[1:], None], strict=False):
        table.add_row(*row, end_section=grouped and after is not None and bool(after[0].plain))
    stdout.print(_Wide(table, sum(widths) + 2 * len(heads)), soft_wrap=False, crop=False)


@dataclass(frozen=True)
class _Wide:
    """Something that is as wide as it is, whatever the console."""

    shown: RenderableType
    width: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from console.render(self.shown, options.update(width=self.width))


def _widths(whole: Sequence[int], least: Sequence[int], room: int) -> list[int] | None:
    """How wide columns are in ``room`` cells, the widest cut first; None where it is less than the least."""
    widths = list(whole)
    while sum(widths) > room:
        cut = [place for place, width in enumerate(widths) if width > least[place]]
        if not cut:
            return None
        widths[max(cut, key=widths.__getitem__)] -= 1
    return widths


def _longest_word(column: Sequence[Text]) -> int:
    return max((cell_len(word) for text in column for word in text.plain.split()), default=0)


def show_pairs(pairs: Mapping[str, object] | Sequence[tuple[str, object]], title: str = "") -> None:
    """Print names beside their values, under a title; long values are wrapped."""
    items = list(pairs.items()) if isinstance(pairs, Mapping) else list(pairs)
    if title:
        stdout.print(_literally(title, "bold"))
    wide = max((len(name) for name, _ in items), default=0) + 4
    for name, value in items:
        # words stay whole, so that a path can be copied
        lines = textwrap.wrap(printable(value), max(20, stdout.width - wide), break_long_words=False,
                              break_on_hyphens=False) or [""]
        stdout.print(_literally(f"  {name}".ljust(wide), "dim").append(lines[0], style="not dim"))
        for line in lines[1:]:
            stdout.print(Text(" " * wide + line))


@contextmanager
def working(text: str) -> Iterator[Callable[[str], None]]:
    """Show that something of unknown length is under way: a running clock, or a line where nobody looks.

    What is yielded takes the name of the stage that begins, or "stage: what it does just now". Where nobody
    looks each stage has a line, and what it does just now none.
    """
    if not stderr.is_terminal:
        told = [text]

        def tell(stage: str) -> None:
            line = f"{text}: {stage.partition(': ')[0]}"
            if line != told[-1]:
                told.append(line)
                stderr.print(_literally(f"{line} ..."))

        stderr.print(_literally(f"{text} ..."))
        yield tell
        return
    with Progress(SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn(),
                  console=stderr, transient=True) as progress:
        task = progress.add_task(printable(text), total=None)
        yield lambda stage: progress.update(task, description=printable(f"{text}: {stage}"))


@contextmanager
def counting(text: str, stages: Mapping[str, str] | None = None) -> Iterator[Callable[..., None]]:
    """Show how far something is: call what is yielded with (done, total).

    With ``stages`` (their names, in words) it is called with (stage, done, total).
    """
    words = stages or {"": text}
    if not stderr.is_terminal:
        told: set[str] = set()

        def tell(*now: Any) -> None:
            stage = now[0] if stages else ""
            if stage not in told:
                told.add(stage)
                stderr.print(_literally(f"{words[stage]} ..."))

        yield tell
        return
    with Progress(SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(),
                  MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(), console=stderr,
                  transient=True) as progress:
        task = progress.add_task(printable(text), total=None)

        def move(*now: Any) -> None:
            *stage, done, total = now
            progress.update(task, completed=done, total=total if total > 1 else None,
                            description=printable(words[stage[0] if stages else ""]))

        yield move


@contextmanager
def epochs() -> Iterator[Callable[[Any], None]]:
    """Show how a training goes: call what is yielded with a :class:`.quantize.train.Progress`."""
    if not stderr.is_terminal:
        shown = 0

        def line(now: Any) -> None:
            nonlocal shown
            if now.epoch != shown:
                shown = now.epoch
                accuracy = "" if now.accuracy is None else f", validation {now.accuracy:.2%}"
                stderr.print(Text(f"epoch {now.epoch} of {now.epochs}, loss {now.loss:.4f}{accuracy}"))

        yield line
        return
    with Progress(SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(),
                  TimeElapsedColumn(), TimeRemainingColumn(), console=stderr, transient=True) as progress:
        task = progress.add_task("Training", total=None)

        def move(now: Any) -> None:
            accuracy = "" if now.accuracy is None else f", validation {now.accuracy:.2%}"
            progress.update(task, total=now.epochs * now.batches,
                            completed=(now.epoch - 1) * now.batches + now.batch,
                            description=f"epoch {now.epoch}/{now.epochs}, loss {now.loss:.4f}{accuracy}")

        yield move


def _stop(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def _complain(sentence: str) -> int:
    stderr.print(Text("Error: ", style="bold red").append(_literally(sentence, "not bold default")))
    return 2


def _system_sentence(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{where}: make room or choose another folder, then run the command again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"Not allowed to read or write{where}: choose a folder of your own or change its permissions."
    return f"{error.strerror or error}{where}."


def main_program(group: click.Command, args: Sequence[str] | None = None) -> int:
    """Run ``group`` on ``args`` (None: the process's own) and return its exit code.

    0: done. 1: done, and the answer is no (a verification that found a mismatch). 2: something outside the
    program is wrong; one sentence on stderr says what and how to mend it. 130: interrupted.
    """
    previous = signal.signal(signal.SIGTERM, _stop)
    try:
        code = group.main(args=args, prog_name="firstspike", standalone_mode=False)
        return int(code) if isinstance(code, bool | int) else 0
    except FirstspikeError as error:
        return _complain(str(error))
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        stderr.print(Text("Interrupted; nothing half-written is left behind."))
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 141
    except OSError as error:
        return _complain(_system_sentence(error))
    finally:
        signal.signal(signal.SIGTERM, previous)
