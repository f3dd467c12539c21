"""Firstspike: trained binary-weight spiking networks become Verilog, proven the same spike for spike.

::

    import firstspike as fs

    net = fs.load("mnist-784-600-10-online")    # a shipped network, or the path of a file
    build = fs.build(net, board="ulx3s-85f", out="build/x")
    result = fs.verify(build, images, count=100)

Every name here is loaded when it is first used, so that the import itself costs next to nothing; torch
is needed by :func:`train` alone.
"""

from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import FirstspikeError

if TYPE_CHECKING:
    from .boards import BOARDS
    from .gen.build import Build, build, open_build
    from .gen.synthesise import bitstream, program, synthesise
    from .network import (
        Bits,
        Convolution,
        Dense,
        Direct,
        Draw,
        Fires,
        Input,
        Latency,
        Layer,
        Network,
        Phase,
        Pool,
        Probability,
        Readout,
        Reset,
        Spikes,
    )
    from .network.scoring import score
    from .quantize.convert.convert import Converted, convert
    from .quantize.data.events import load_events
    from .quantize.data.images import load_images
    from .quantize.export.nir import export_nir
    from .quantize.export.rom import export_rom, read_rom
    from .quantize.importers.nir import import_nir
    from .quantize.importers.report import Imported
    from .quantize.importers.snntorch import import_snntorch
    from .quantize.importers.spikingjelly import import_spikingjelly
    from .quantize.train import train
    from .report.page import write_report
    from .sim.host.client import Host
    from .sim.verify import VerifyResult, verify

    __version__: str

__all__ = [
    "BOARDS", "Bits", "Build", "Converted", "Convolution", "Dense", "Direct", "Draw", "Fires",
    "FirstspikeError", "Host", "Imported", "Input", "Latency", "Layer", "Network", "Phase", "Pool",
    "Probability", "Readout", "Reset", "Spikes", "VerifyResult", "__version__", "bitstream", "build",
    "convert", "export_nir", "export_rom", "import_nir", "import_snntorch", "import_spikingjelly", "load",
    "load_events", "load_images", "open_build", "program", "read_rom", "score", "synthesise", "train",
    "verify", "write_report",
]

_HOME = {
    **dict.fromkeys(("Bits", "Convolution", "Dense", "Direct", "Draw", "Fires", "Input", "Latency", "Layer",
                     "Network", "Phase", "Pool", "Probability", "Readout", "Reset", "Spikes"),
                    ".network"),
    "load_events": ".quantize.data.events",
    "Imported": ".quantize.importers.report",
    "import_nir": ".quantize.importers.nir",
    "import_snntorch": ".quantize.importers.snntorch",
    "import_spikingjelly": ".quantize.importers.spikingjelly",
    "export_nir": ".quantize.export.nir",
    **dict.fromkeys(("export_rom", "read_rom"), ".quantize.export.rom"),
    "train": ".quantize.train",
    "BOARDS": ".boards",
    **dict.fromkeys(("Build", "build", "open_build"), ".gen.build"),
    **dict.fromkeys(("bitstream", "program", "synthesise"), ".gen.synthesise"),
    "Host": ".sim.host.client",
    "load_images": ".quantize.data.images",
    "score": ".network.scoring",
    **dict.fromkeys(("Converted", "convert"), ".quantize.convert.convert"),
    **dict.fromkeys(("VerifyResult", "verify"), ".sim.verify"),
    "write_report": ".report.page",
}


def load(network: "str | PathLike[str]") -> "Network":
    """The network in a file, or the shipped network of that name.

    Raises FirstspikeError where there is neither, or the file is no sound network file.
    """
    from .models import find
    from .network.file.reading import load
    return load(find(Path(network)))


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version
        value: object = version(__name__)
    elif name in _HOME:
        value = getattr(import_module(_HOME[name], __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
