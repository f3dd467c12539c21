"""What is behind a port, as it says itself and as a build says that it should be."""

from dataclasses import dataclass, fields

from ...errors import FirstspikeError
from ...gen.board import core_facts
from ...gen.build import Build
from ...rtl.host.protocol import IDENTITY, VERSION
from .port import LinkSettings

__all__ = ["Identity"]


@dataclass(frozen=True)
class Identity:
    """What is behind a port.

    Attributes
    ----------
    digest : str
        The first 16 hex digits of the network's digest.
    size : int
        Inputs of the network.
    addresses : int
        Inputs that the mask leaves in.
    levels : int
        Number of levels; 0 without an encoder.
    window : int
        Steps of the input.
    value_bits : int
        Width of a spike's value; 0 where every value is 1.
    output_window : int
        Steps of the last layer.
    online : bool
        Whether the first layer is online.
    early_stop : bool
        Whether early stop is built in.
    clock_hz : int
        The core's clock.
    """

    digest: str
    size: int
    addresses: int
    levels: int
    window: int
    value_bits: int
    output_window: int
    online: bool
    early_stop: bool
    clock_hz: int

    @classmethod
    def from_bytes(cls, payload: bytes) -> "Identity":
        """Read the answer to ``Command.IDENTIFY``.

        Raises
        ------
        ValueError
            It holds what no design is: a clock of 0 Hz, a window without steps.
        FirstspikeError
            It is of another version of the protocol.
        """
        version, flags, digest, size, addresses, highest, window, value_bits, output_window, clock_hz = (
            IDENTITY.unpack(payload))
        if version != VERSION:
            raise FirstspikeError(f"the design behind the port speaks version {version} of the protocol, and "
                                  f"this client version {VERSION}: build and load it with this version")
        for name, value in (("inputs", size), ("addresses", addresses), ("steps", window),
                            ("steps of the last layer", output_window), ("clock cycles a second", clock_hz)):
            if not value:
                raise ValueError(f"it says that it has no {name}")
        if addresses > size or value_bits > 32:
            raise ValueError(f"it says that it has {addresses} addresses for {size} inputs, and values of "
                             f"{value_bits} bits")
        return cls(digest=digest.hex(), size=size, addresses=addresses,
                   levels=highest + 1 if flags & 1 else 0, window=window, value_bits=value_bits,
                   output_window=output_window, online=bool(flags & 4), early_stop=bool(flags & 2),
                   clock_hz=clock_hz)

    @classmethod
    def of_build(cls, build: Build) -> "Identity":
        """What the design of ``build`` says of itself.

        Raises
        ------
        FirstspikeError
            The build is damaged.
        """
        options = build.manifest["options"]
        facts = core_facts(build.network, early_stop=options["early_stop"], encoder=options["encoder"])
        return cls.from_bytes(facts.identity(LinkSettings.of(build).clock_hz))

    def differences(self, other: "Identity") -> list[str]:
        """In which fields the two differ, in words, this one's value first."""
        pairs = ((each.name, getattr(self, each.name), getattr(other, each.name)) for each in fields(self))
        return [f"{name.replace('_', ' ')} {here}, not {there}" for name, here, there in pairs
                if here != there]
