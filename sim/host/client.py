"""The host client: runs images on a board, or on the simulated design, through the serial host link."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...errors import FirstspikeError
from ...gen.build import Build
from ...rtl.host.protocol import IDENTITY, RESULT, Command
from .exchange import Exchange
from .identity import Identity
from .payloads import pack_levels, pack_spikes
from .port import Port
from .ports import open_port

__all__ = ["Answer", "Host"]


@dataclass(frozen=True)
class Answer:
    """What an image gave.

    Attributes
    ----------
    label : int
        The class.
    step : int
        The decision step.
    cycles : int
        Clock cycles from the core's taking the image's last level, or the end of its window, until the
        result was there (1 where it was there before).
    """

    label: int
    step: int
    cycles: int


class Host:
    """A host at a serial port.

    Parameters
    ----------
    port : str or Port
        The port's name (``/dev/ttyUSB0``, ``COM3``), "sim" for the simulated design of ``build``, or anything
        with ``read`` and ``write``.
    build : Build or None
        What is expected behind the port: gives the serial rate and the addresses of masked inputs, and what
        the design says of itself and answers is compared with it.
    baud : int or None
        Serial rate; None: that of the build's board.
    retries : int
        How often a frame is sent again where it, or its answer, was disturbed on the line.
    progress : callable or None
        Called with the name of each stage of making the simulated design.

    Raises
    ------
    FirstspikeError
        The port is not there, may not be used or does not answer, or runs another design.
    """

    def __init__(self, port: str | Port, build: Build | None = None, *, baud: int | None = None,
                 retries: int = 2, progress: Callable[[str], None] | None = None):
        if retries < 0:
            raise ValueError(f"retries must be at least 0, not {retries}")
        self.name = port if isinstance(port, str) else "the port"
        self._identity: Identity | None = None
        self._build = build
        self._port: Port = open_port(port, build, baud, progress) if isinstance(port, str) else port
        self._exchange = Exchange(self._port, self.name, retries)
        try:
            if build is not None:
                self.check(build)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the port."""
        close = getattr(self._port, "close", None)
        if close is not None:
            close()

    def identify(self) -> Identity:
        """Ask what is behind the port."""
        self._identity = self._exchange.ask(Command.IDENTIFY, b"", IDENTITY.size, Identity.from_bytes)
        return self._identity

    def check(self, build: Build) -> None:
        """Compare what is behind the port with a build.

        Raises
        ------
        FirstspikeError
            It is another network, or another build of it.
        """
        found, expected = self.identify(), Identity.of_build(build)
        if found.digest != expected.digest:
            raise FirstspikeError(f"{self.name} runs another network ({found.digest}…) than this build's "
                                  f"({expected.digest}…): load the build's bitstream (firstspike program)")
        if found != expected:
            raise FirstspikeError(f"{self.name} runs another build of this network "
                                  f"({'; '.join(found.differences(expected))}): load the build's bitstream "
                                  "(firstspike program)")

    def run_levels(self, image: np.ndarray) -> Answer:
        """Run an image of levels.

        Parameters
        ----------
        image : ndarray
            Integers, shape ``(size,)``: all inputs, masked ones too.

        Raises
        ------
        FirstspikeError
            The core has no encoder, the image does not fit, or the port does not answer as it should.
        """
        identity = self._known()
        image = np.asarray(image)
        if not identity.levels:
            raise FirstspikeError(
                f"{self.name} runs a core without an encoder: send spikes, or build it with one")
        if image.shape != (identity.size,):
            raise FirstspikeError(f"an image must have {identity.size} levels, not the shape {image.shape}")
        if image.dtype.kind not in "iub" or image.min() < 0 or image.max() >= identity.levels:
            raise FirstspikeError(f"levels must be integers from 0 to {identity.levels - 1}")
        return self._run(Command.LEVELS, pack_levels(identity, image))

    def run_spikes(self, spikes: np.ndarray) -> Answer:
        """Run a window of spikes. Inputs that the network leaves out are left out here too.

        Parameters
        ----------
        spikes : ndarray
            Bool or integers (the values; 0: no spike), shape ``(window, size)``.

        Raises
        ------
        FirstspikeError
            The spikes do not fit, or the port does not answer as it should.
        """
        identity = self._known()
        spikes = np.asarray(spikes)
        if spikes.shape != (identity.window, identity.size):
            raise FirstspikeError(
                f"spikes must have the shape {(identity.window, identity.size)}, not {spikes.shape}")
        highest = (1 << identity.value_bits) - 1 if identity.value_bits else 1
        if spikes.dtype.kind not in "iub" or spikes.min() < 0 or spikes.max() > highest:
            raise FirstspikeError(f"a spike's value must be an integer from 0 to {highest}")
        if self._build is not None:
            spikes = spikes[:, self._build.network.input.used]
        elif identity.addresses != identity.size:
            raise FirstspikeError("the network leaves inputs out: give the build, which says which")
        return self._run(Command.SPIKES, pack_spikes(identity, spikes.astype(np.int64)))

    def run(self, image: np.ndarray) -> Answer:
        """Run an image: levels, shape ``(size,)``, or spikes, shape ``(window, size)``."""
        return self.run_spikes(image) if np.ndim(image) == 2 else self.run_levels(image)

    def set_early_stop(self, early: bool) -> None:
        """Let the core stop at the deciding spike, or go on to the end of the window."""
        self._exchange.ask(Command.STOP_EARLY, bytes([bool(early)]), 0, bytes)

    def _known(self) -> Identity:
        return self._identity or self.identify()

    def _run(self, command: Command, payload: bytes) -> Answer:
        return self._exchange.ask(command, payload, RESULT.size, self._read)

    def _read(self, payload: bytes) -> Answer:
        """ValueError where no core of this identity, or of the build, gives such an answer."""
        answer, identity = Answer(*RESULT.unpack(payload)), self._known()
        if self._build is not None and answer.label >= (classes := self._build.network.output.size):
            raise ValueError(f"it answers class {answer.label} of {classes}")
        if answer.step > identity.output_window:
            raise ValueError(f"it answers step {answer.step} of {identity.output_window}")
        if not answer.cycles:
            raise ValueError("it answers after 0 cycles")
        return answer
