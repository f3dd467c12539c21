"""What a simulator is: it compiles Verilog into a program, which is kept."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from ...errors import FirstspikeError
from .cache import kept
from .program import Program

__all__ = ["Simulator"]


class Simulator(ABC):
    """A simulator that is there and can be used.

    Attributes
    ----------
    name : str
        What it is asked for by; letters only.
    version : str
        For people, and part of what its programs depend on.
    """

    name: ClassVar[str]
    version: str

    def compile(self, sources: Sequence[Path], top: str, signals: Sequence[str], *,
                waves: bool = False) -> Program:
        """Compile Verilog, or take what was compiled before.

        Parameters
        ----------
        sources : sequence of Path
            The Verilog files.
        top : str
            The name of the module to simulate.
        signals : sequence of str
            What the bench reads and writes, by hierarchical names below ``top``; those of ``top`` itself are
            its ports, and only they are written.
        waves : bool
            Whether the program can write its waves to an FST file.

        Raises
        ------
        FirstspikeError
            The Verilog does not compile, or the cache cannot be written.
        """
        signals = sorted(set(signals))
        try:
            texts = [source.read_bytes() for source in sources]
            digest = hashlib.sha256(json.dumps([self.key(), top, signals, waves]).encode())
            for text in texts:
                digest.update(hashlib.sha256(text).digest())

            def make(scratch: Path, made: Path) -> None:
                names = [f"source{number}.v" for number in range(len(texts))]
                for name, text in zip(names, texts, strict=True):
                    (scratch / name).write_bytes(text)
                try:
                    self.make(names, top, signals, waves, scratch, made)
                except FirstspikeError as error:
                    said = str(error)
                    for name, source in zip(names, sources, strict=True):
                        said = said.replace(name, str(source))
                    raise FirstspikeError(said) from None

            return self.program(kept(self.name, digest.hexdigest()[:32], make), waves)
        except OSError as error:
            raise FirstspikeError(f"the simulation of {sources[0]} cannot be compiled: {error}; "
                                  "FIRSTSPIKE_CACHE can name another folder to work in") from error

    @abstractmethod
    def key(self) -> list[str]:
        """All that a program depends on beside Verilog and options."""

    @abstractmethod
    def make(self, sources: Sequence[str], top: str, signals: Sequence[str], waves: bool, scratch: Path,
             made: Path) -> None:
        """Compile in ``scratch``, where the sources are, and leave what is needed later in ``made``.

        Tools run in ``scratch`` and are given names in it, never paths from outside: what a user's folders
        are called is nothing that a shell, make or a compiler has to understand.
        """

    @abstractmethod
    def program(self, folder: Path, waves: bool) -> Program:
        """How to run what :meth:`make` left in ``folder``."""
