"""What cannot be taken of a network, gathered so that one error names it all."""

from dataclasses import dataclass

__all__ = ["Place", "Refusals"]


@dataclass(frozen=True)
class Place:
    """Where a part of a network stands in the tool that it comes from.

    Attributes
    ----------
    name : str
        As the tool names it ("features.0"); empty for the network itself.
    kind : str
        The name of its class, or of the function.
    """

    name: str
    kind: str

    def __str__(self) -> str:
        return f"{self.name or 'the whole'} ({self.kind})"


class Refusals:
    """What cannot be taken, one clause each.

    Attributes
    ----------
    clauses : list of str
        What was refused so far, each once.
    """

    def __init__(self) -> None:
        self.clauses: list[str] = []

    def add(self, place: object, why: str) -> None:
        """Refuse what stands somewhere.

        Parameters
        ----------
        place : object
            Where it stands; its text is what the user reads.
        why : str
            The reason, which ends in what would do in its stead.
        """
        clause = f"{place}: {why}"
        if clause not in self.clauses:  # a loop calls the same again
            self.clauses.append(clause)

    def raise_any(self, what: str = "the network cannot be taken exactly") -> None:
        """Raise all that was gathered as one error.

        Raises
        ------
        ValueError
            Something was refused; the sentence begins with ``what``.
        """
        if self.clauses:
            raise ValueError(f"{what}: {'; '.join(self.clauses)}")
