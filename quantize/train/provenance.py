"""How a network came to be, as its file tells it: the options and the command line."""

import shlex
from pathlib import Path
from typing import Any

from .settings import Settings

__all__ = ["command", "noted"]


def noted(options: dict[str, Any]) -> dict[str, Any]:
    """Options as a network's notes tell them: of a teacher's file its name alone."""
    def plain(name: str, value: Any) -> Any:
        if name == "teacher":
            return Path(value).stem
        return list(value) if isinstance(value, tuple) else value

    return {name: plain(name, value) for name, value in options.items()}


def command(recipe: str, settings: Settings) -> str:
    """The command line that trains this: DIR for the data, NET for the file, a teacher by its name."""
    words = ["firstspike", "train", recipe, "--data", "DIR", "-o", "NET"]
    for name, value in noted(settings.changed()).items():
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        words += [f"--{name}"] if value is True else [f"--{name}", text]
    return shlex.join(words)
