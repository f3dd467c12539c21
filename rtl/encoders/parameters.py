"""The checks of what encoders are made from."""

__all__ = ["check_mask", "check_one_or_two", "check_positive", "check_table"]


def check_positive(name: str, value) -> int:
    """Refuse what is not a positive integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be a positive integer, not {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be a positive integer, not {value}")
    return value


def check_one_or_two(name: str, value) -> int:
    """Refuse what is neither 1 nor 2: buffers, and cycles of a memory's read."""
    if value not in (1, 2):
        raise ValueError(f"{name} must be 1 or 2, not {value!r}")
    return value


def check_mask(mask) -> tuple[bool, ...]:
    """The mask as a tuple with at least one input left in."""
    mask = tuple(bool(used) for used in mask)
    if not any(mask):
        raise ValueError(f"Mask must leave in at least one of {len(mask)} inputs")
    return mask


def check_table(table, window: int) -> tuple[int, ...]:
    """The table as a tuple of steps below ``window``, -1 for silence."""
    table = tuple(int(step) for step in table)
    if not table:
        raise ValueError("Table must have at least one level")
    for level, step in enumerate(table):
        if not -1 <= step < window:
            raise ValueError(f"Step must be -1 or in 0 ... {window - 1}, not {step} (level {level})")
    return table
