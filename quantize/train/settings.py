"""Options as fields of a dataclass: each stated once, with its default, its help and what it may be."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

__all__ = ["Option", "Settings", "check_whole", "described", "option", "restated"]


@dataclass(frozen=True)
class Option:
    """One option of a recipe, as a command line offers it.

    Attributes
    ----------
    name : str
        As in Python; on the command line after ``--``.
    default : object
        A text, a number, a flag or a tuple of numbers.
    help : str
        One sentence.
    choices : tuple of str
        Empty where any value of the default's type will do.
    """

    name: str
    default: Any
    help: str
    choices: tuple[str, ...] = ()


def option(default: Any, help: str, *, choices: Sequence[str] = (),
           between: tuple[float, float] | None = None) -> Any:
    """A dataclass field that is an option.

    Parameters
    ----------
    default : object
        Its type is that of the option; a whole number takes whole numbers only.
    help : str
        One sentence for the command line.
    choices : sequence of str
        All values that a text may have; empty: any.
    between : (low, high) or None
        The lowest and the highest value of a number; None: the recipe's own check knows.
    """
    return field(default=default, metadata={"help": help, "choices": tuple(choices), "between": between})


def restated(settings: type, name: str, default: Any, **changes: Any) -> Any:
    """The option ``name`` of ``settings`` with another default, and ``changes`` of what `option` takes."""
    known = next(item.metadata for item in fields(settings) if item.name == name)
    return option(default, **{**known, **changes})


def described(settings: type) -> tuple[Option, ...]:
    """The options of a dataclass, those first that it adds to the dataclasses it is made from."""
    inherited = {item.name for base in settings.__bases__ if is_dataclass(base) for item in fields(base)}
    return tuple(Option(item.name, item.default, item.metadata["help"], item.metadata["choices"])
                 for item in sorted(fields(settings), key=lambda item: item.name in inherited))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the dataclasses of options have in common: every value is checked when one is made.

    Raises
    ------
    TypeError, ValueError
        A value is of another type than the default's, is none of the choices, or is out of range.
    """

    def __post_init__(self) -> None:
        for item in fields(self):
            value, known = getattr(self, item.name), item.metadata
            choices, between = known["choices"], known["between"]
            if between is not None:
                whole = isinstance(item.default, int)
                (check_whole if whole else _check_number)(value, item.name, *between)
            elif choices and value not in choices:
                raise ValueError(f"{item.name} must be one of {', '.join(choices)}, not {value!r}")
            elif isinstance(item.default, bool) and not isinstance(value, bool):
                raise TypeError(f"{item.name} must be True or False, not {value!r}")
            elif isinstance(item.default, str) and not isinstance(value, str):
                raise TypeError(f"{item.name} must be a text, not {value!r}")

    def changed(self) -> dict[str, Any]:
        """The options that are not the defaults, in the order of `described`."""
        return {item.name: getattr(self, item.name) for item in described(type(self))
                if getattr(self, item.name) != item.default}


def check_whole(value: Any, name: str, low: float, high: float) -> None:
    """Refuse what is no whole number from ``low`` to ``high``.

    Raises
    ------
    TypeError, ValueError
        It is no whole number; it is out of range. ``name`` says what it was.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low} to {high}, not {value}")


def _check_number(value: Any, name: str, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low:g} to {high:g}, not {value}")
