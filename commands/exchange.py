"""``import`` and ``export``: networks from other tools, and to them."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from .. import load
from ..console import say, show_json, show_pairs, working
from ..errors import FirstspikeError
from .options import FOLDER, as_json, bound_option, check_out, count_option, labels_option, net_argument

__all__ = ["export", "import_"]


class Quotient(click.ParamType):
    """A number above 0, or one over another, as 1/255."""

    name = "number"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        try:
            number = float(Fraction(value))
        except (ValueError, ZeroDivisionError, OverflowError):
            number = 0.0
        if number <= 0:
            self.fail(f"{value!r} is no number above 0, nor one over another, as 1/255", param, ctx)
        return number


@click.command(name="import", short_help="Import a network from a NIR file.")
@click.argument("file", type=FOLDER, metavar="FILE.nir")
@click.option("-o", "--out", type=FOLDER, required=True, metavar="NET", help="The file to write.")
@click.option("--steps", type=click.IntRange(min=1), metavar="T",
              help="Steps of a window, which NIR does not say. Default: as our own export wrote.")
@click.option("--encoding", type=click.Choice(("spikes", "direct", "bits", "latency")), default=None,
              help="How levels become spikes. Default: spikes come ready-made.")
@click.option("--levels", type=click.IntRange(2, 1 << 16), default=256, show_default=True,
              help="Levels of an input, for direct and latency.")
@click.option("--level", type=Quotient(), default="1", show_default=True, metavar="X",
              help="What a level of 1 is worth to the network: 1/255 where it was trained on pixels from 0 "
                   "to 1.")
@click.option("--readout", type=click.Choice(("count", "first_spike", "potential")),
              help="How the class is read. Default: count where the last node fires, else potential.")
@click.option("--reset", type=click.Choice(("to", "subtract")),
              help="A neuron that fired goes to v_reset, or loses v_threshold - v_reset. Default: as the "
                   "nodes' metadata say, else to.")
@click.option("--at-threshold", "strict", flag_value=False, default=True, type=bool,
              help="Neurons fire at their threshold too, as SpikingJelly's do; NIR's fire above it.")
@click.option("--dt", type=Quotient(), default="1e-4", show_default=True, metavar="X",
              help="How long a step is, in the unit of the file's time constants.")
@click.option("--weights", type=click.Choice(("auto", "sign", "ternary", "integer")), default="auto",
              show_default=True, help="What weights become; auto: the fewest bits that hold them exactly, "
                                      "else integers.")
@click.option("--bits", type=click.IntRange(2, 8), default=8, show_default=True, help="Bits of an integer.")
@click.option("--approximate", is_flag=True,
              help="Take a leak that is no power of two as the nearest one, and say so.")
@click.option("--calibrate", type=FOLDER, metavar="DATA",
              help="Images to measure on what rounding does: as for `firstspike score --images`, of a data "
                   "set its training images.")
@labels_option
@count_option
@bound_option
@click.option("--accept-loss", is_flag=True, help="Exit with 0 even if more is lost, or it is not known.")
@as_json
def import_(file: Path, out: Path, steps: int | None, encoding: str | None, levels: int, level: float,
            calibrate: Path | None, labels: Path | None, count: int | None, bound: float, accept_loss: bool,
            json_: bool, **chosen: Any) -> bool:
    """Import a network from a NIR file, exactly or with every change named.

    Weights on a grid of integers (one bit times a scale, say) are taken exactly, spike for spike. Others are
    rounded once; what was rounded, how far, and what it did to the images of --calibrate is reported. A loss
    above --bound ends in exit code 1. What has no exact form is refused, every node by its name.

    \b
    Examples:
      firstspike import net.nir -o net.safetensors --steps 8
      firstspike import net.nir -o net.safetensors --steps 8 --weights sign --calibrate data/mnist
      firstspike import net.nir -o net.safetensors --steps 4 --encoding direct --level 1/255
    """
    from ..gen.check import hardware
    from ..quantize.data.images import load_images
    from ..quantize.importers.nir import import_nir
    from ..quantize.importers.report import told_measure, told_rounding
    check_out(out)
    if encoding is not None and steps is None:
        raise click.UsageError("--encoding needs --steps, how many steps a window has.")
    with working(f"Importing {file}"):
        made = import_nir(file, _input(file, steps, encoding, levels) if encoding else None,
                          steps=None if encoding else steps, level=level, **chosen)
        if calibrate is not None:
            chosen_images = load_images(calibrate, made.network, labels=labels, count=count, split="train")
            made = made.on(chosen_images.images, chosen_images.labels)
        made.network.save(out)
    report, built = made.report, hardware(made.network)
    measured = report.measured
    loss = None if measured is None else measured.loss
    lost = loss is not None and loss * 100 > bound
    unknown = loss is None and not report.exact
    if json_:
        show_json(report.to_json() | {"path": str(out), "digest": made.network.digest, "hardware": built})
        return (lost or unknown) and not accept_loss
    show_pairs({layer.place: told_rounding(layer) for layer in report.layers}, f"Wrote {out}")
    show_pairs(({} if measured is None else told_measure(measured)) | {"Hardware": built})
    if report.exact:
        say("Exact: every spike as in the file.", style="bold green")
    elif lost and loss is not None:
        say(f"Rounding lost {loss:.2%}, and {bound / 100:.2%} was the bound: give more --bits, or "
            "take it with --accept-loss.", style="bold red")
    elif unknown:
        remedy = "give --calibrate DATA" if measured is None else "compare with the tool's own accuracy"
        say(f"What rounding lost is not known: {remedy}, or take it with --accept-loss.", style="bold red")
    return (lost or unknown) and not accept_loss


def _input(file: Path, steps: int | None, encoding: str, levels: int) -> Any:
    """The input of the graph in ``file`` with another encoding."""
    import numpy as np

    from ..network import Bits, Direct, Input, Latency, Spikes
    from ..quantize.importers.nir import input_shape
    shape = input_shape(file)
    window = steps or 1
    latency = (levels - 1 - np.arange(levels)) * window // levels
    latency[0] = -1
    kinds = {"spikes": lambda: Spikes(once=False), "direct": lambda: Direct(levels),
             "bits": lambda: Bits(window), "latency": lambda: Latency(latency)}
    return Input(int(np.prod(shape)), window, kinds[encoding](), shape=shape if len(shape) == 3 else None)


@click.command(short_help="Export a network to NIR, or as ROM images.")
@net_argument
@click.option("--nir", type=FOLDER, metavar="FILE", help="Write a NIR file, for other simulators.")
@click.option("--rom", type=click.Choice(("hex", "coe", "mif", "mi")),
              help="Write ROM images into the folder -o: hex ($readmemh), coe (Xilinx), mif (Intel) or mi "
                   "(Gowin).")
@click.option("-o", "--out", type=FOLDER, metavar="DIR", help="The folder of the ROM images.")
@as_json
def export(net: str, nir: Path | None, rom: str | None, out: Path | None, json_: bool) -> None:
    """Export a network to a NIR file, or its parameters as ROM images.

    NIR can say online layers that fire many times, with constant schedules; others are refused by name. ROM
    images hold one bit for a sign; manifest.json beside them says what lies where. Both come back as the same
    network: `firstspike import FILE.nir`, and read_rom() in Python.

    \b
    Examples:
      firstspike export mnist-784-600-10-online --rom coe -o rom
      firstspike export net.safetensors --nir net.nir
    """
    if (nir is None) == (rom is None) or (rom is None) != (out is None):
        raise click.UsageError("give either --nir FILE, or --rom FORMAT with -o DIR.")
    network = load(net)
    if nir is not None:
        from ..quantize.export.nir import export_nir
        try:
            export_nir(network, nir)
        except ValueError as error:
            raise FirstspikeError(str(error)) from None
        if json_:
            show_json({"path": str(nir), "digest": network.digest})
        else:
            show_pairs({"NIR": nir})
        return
    assert rom is not None and out is not None
    from ..quantize.export.rom import export_rom
    memories = export_rom(network, out, rom)
    bits = sum(memory.depth * memory.width for memory in memories)
    if json_:
        show_json({"path": str(out), "digest": network.digest, "files": len(memories), "bits": bits})
        return
    weights = sum(memory.depth * memory.width for memory in memories if memory.name.endswith("weights"))
    show_pairs({"ROM images": out, "Files": f"{len(memories)} and manifest.json",
                "Bits": f"{bits:,}, {weights:,} of them weights"})
