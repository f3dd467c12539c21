"""Images on the page, spike by spike: which are worth a look, and what the network does with each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..network import Fires, Latency, Network, Phase, Readout
from ..network.golden import Trace, run
from .build_files import BuildFiles
from .pictures import Picture, draw_levels, draw_steps
from .rasters import ROWS, Raster, raster

__all__ = ["Sample", "choose", "draw_sample"]

_MOST = 8  # images to choose from


@dataclass(frozen=True)
class Sample:
    """One image.

    Attributes
    ----------
    name : str
        What it is chosen by.
    lead : str
        What came of it, in words.
    pictures : sequence of Picture
        Its levels, and when each input spikes.
    layers : sequence of Raster
        The input and each layer.
    """

    name: str
    lead: str
    pictures: Sequence[Picture]
    layers: Sequence[Raster]


def choose(files: BuildFiles) -> list[tuple[str, int]]:
    """The images of a verification that are worth a look, the first of them first shown.

    They are the image of the first mismatch, the very first, one that was classified wrongly, and then the
    first of each class.

    Returns
    -------
    list of (str, int)
        What each is called, and its number.
    """
    count = len(files.vectors["images"]) if "images" in files.vectors else 0
    labels, answers = files.vectors.get("labels"), files.first_run("class")
    wanted: list[tuple[str, int]] = []
    mismatch = (files.results or {}).get("first_mismatch")
    if mismatch:
        wanted.append((f"mismatch: image {mismatch['image']}", int(mismatch["image"])))
    wanted.append(("image 0", 0))
    if labels is not None:
        if answers is not None and len(answers) == len(labels) and (answers != labels).any():
            at = int(np.argmax(answers != labels))
            wanted.append((f"a {labels[at]} that is not recognised: image {at}", at))
        wanted += [(f"a {label}: image {int(np.argmax(labels == label))}", int(np.argmax(labels == label)))
                   for label in np.unique(labels)]
    else:
        wanted += [(f"image {number}", number) for number in range(1, _MOST)]
    found: dict[int, str] = {}
    for name, number in wanted:
        if 0 <= number < count and len(found) < _MOST:
            found.setdefault(number, name)
    return [(name, number) for number, name in found.items()]


def draw_sample(network: Network, image: np.ndarray, label: int | None = None, name: str = "",
                mismatch: Mapping[str, Any] | None = None) -> Sample:
    """What ``network`` does with an image.

    Parameters
    ----------
    network : Network
    image : ndarray
        As :func:`..network.golden.run` takes it.
    label : int or None
        Its class, if known.
    name : str
        What it is chosen by.
    mismatch : mapping or None
        The first mismatch, as ``verify/results.json`` has it, where it is in this image.
    """
    trace = run(network, image)
    online = all(layer.phase is Phase.ONLINE for layer in network.layers)
    spoke = trace.step < network.output.window
    decided = trace.step if spoke else None
    heard = np.asarray(trace.input_spikes)
    layers = [raster("input", heard, decided=decided if online else None,
                     caption=f"{_count(heard)} of {len(network.input.used):,} inputs")]
    for layer, done in zip(network.layers, trace.layers, strict=True):
        last = layer is network.output
        firing = int(done.spikes.any(axis=0).sum())
        caption = f"{_count(done.spikes)}; {firing:,} of {layer.size:,} neurons fire"
        layers.append(raster(
            layer.name, done.spikes, caption="final potential" if last and layer.size <= ROWS else caption,
            decided=decided if online or last else None, potentials=done.potential if last else None,
            winner=trace.label if last else None, silent=layer.fires is Fires.NEVER,
            odd=_place(mismatch, layer.name)))
    lead = _verdict(network, trace, label, spoke)
    return Sample(name, lead, _pictures(network, image, heard, label), layers)


def _place(mismatch: Mapping[str, Any] | None, layer: str) -> tuple[int, int] | None:
    """Step and neuron of a spike that differs in this layer."""
    if mismatch is None or mismatch["what"] != "spike" or mismatch.get("layer") != layer:
        return None
    return int(mismatch["step"]), int(mismatch["neuron"])


def _count(spikes: np.ndarray) -> str:
    number = int((spikes != 0).sum())
    return f"{number:,} spike{'' if number == 1 else 's'}"


def _verdict(network: Network, trace: Trace, label: int | None, spoke: bool) -> str:
    if network.readout is Readout.FIRST_SPIKE and spoke:
        how = f"The first output spike comes at step {trace.step}: class {trace.label}"
    elif network.readout is Readout.FIRST_SPIKE:
        how = f"No output fires in the window, so the highest potential decides: class {trace.label}"
    elif network.readout is Readout.COUNT:
        how = f"The output with the most spikes is class {trace.label}"
    else:
        how = f"The output with the highest potential is class {trace.label}"
    if label is None:
        return f"Each mark is a spike. {how}."
    return f"Each mark is a spike. {how}, " + ("which is right." if label == trace.label else f"not {label}.")


def _pictures(network: Network, image: np.ndarray, heard: np.ndarray, label: int | None) -> list[Picture]:
    what = "The image" + ("" if label is None else f", a {label}")
    when = draw_steps(heard, "When each input spikes")
    if network.input.levels is None:
        return [when]
    levels = np.asarray(image, dtype=np.int64)
    return [draw_levels(levels, network.input.levels - 1, what),
            *([when] if isinstance(network.input.encoding, Latency) else [])]
