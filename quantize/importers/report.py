"""What an import did to a network: what was rounded, how far, and what it did to the user's own images."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from ...network import Network
from ...network.inputs import Input
from .discretise import Rounding, discretise
from .reals import RealNetwork, real, run

__all__ = ["Imported", "Measured", "Report", "finish", "fitting"]

CHUNK = 128
"""Images that are run at a time."""


@dataclass(frozen=True)
class Measured:
    """What rounding changed on some images.

    ``same``: of how many the class is the same as before. ``spikes``: how many the network fired before,
    ``changed``: how many of the places (neuron and step) where one was, or is now, are not the same.
    ``right_before``, ``right_after``: how many classes are right; None where no labels were given.
    """

    images: int
    same: int
    spikes: int
    changed: int
    right_before: int | None = None
    right_after: int | None = None

    @property
    def loss(self) -> float:
        """The share of images lost: right before and not after, net, or of another class without labels."""
        if self.right_before is None or self.right_after is None:
            return (self.images - self.same) / self.images
        return (self.right_before - self.right_after) / self.images


@dataclass(frozen=True)
class Report:
    """What became of a network's numbers. ``tool``: where it came from. ``layers``: one entry each.

    ``measured``: what that did to the user's images, None where there were none.
    """

    tool: str
    layers: tuple[Rounding, ...]
    measured: Measured | None = None

    @property
    def exact(self) -> bool:
        """Whether nothing was rounded: the network fires the same spikes as before, on any input."""
        return all(layer.exact for layer in self.layers)

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"tool": self.tool, "exact": self.exact,
                "layers": [asdict(layer) | {"remarks": list(layer.remarks)} for layer in self.layers],
                "measured": None if self.measured is None else asdict(self.measured)}

    def notes(self) -> dict[str, Any]:
        """The report in words, for a network's provenance."""
        said = {"imported_from": self.tool, "exact": self.exact,
                "rounding": {layer.place: words(layer) for layer in self.layers}}
        return said if self.measured is None else said | {"measured": measured_words(self.measured)}

    def __str__(self) -> str:
        lines = [f"{layer.place}: {words(layer)}" for layer in self.layers]
        if self.measured is not None:
            lines += [f"{name}: {value}" for name, value in measured_words(self.measured).items()]
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Imported:
    """A network that came from another tool, and the report of what that took.

    ``origin``: the same network before it was rounded, for :meth:`on`.
    """

    network: Network
    report: Report
    origin: RealNetwork = field(repr=False)

    def on(self, images: Any, labels: Any = None) -> "Imported":
        """The same with what rounding did to ``images`` in its report.

        The images' mean number of spikes goes into the network's calibration. ``images``: levels, or spikes,
        as the network takes them. ``labels``: a class for each. Raises TypeError, ValueError.
        """
        images = fitting(self.network.input, images)
        before, after = [], []
        spikes = changed = 0
        means = np.zeros(1 + len(self.network.layers))
        rounded = real(self.network)
        for start in range(0, len(images), CHUNK):
            part = images[start:start + CHUNK]
            stated, taken = run(self.origin, part), run(rounded, part)
            before.append(stated.labels)
            after.append(taken.labels)
            for name, fired in stated.spikes.items():
                spikes += int(fired.sum())
                changed += int((fired != taken.spikes[name]).sum())
            means += [taken.inputs, *(fired.sum() for fired in taken.spikes.values())]
        old, new = np.concatenate(before), np.concatenate(after)
        found = Measured(len(images), int((old == new).sum()), spikes, changed)
        if labels is not None:
            labels = np.asarray(labels)
            if labels.shape != (len(images),):
                raise ValueError(f"labels must be one for each of the {len(images)} images, "
                                 f"not of the shape {labels.shape}")
            found = replace(found, right_before=int((old == labels).sum()),
                            right_after=int((new == labels).sum()))
        report = replace(self.report, measured=found)
        mean_spikes = [round(float(mean) / len(images), 3) for mean in means]
        return replace(self, report=report, network=replace(
            self.network, calibration={**self.network.calibration, "mean_spikes": mean_spikes},
            provenance={**self.network.provenance, **report.notes()}))


def finish(tool: str, origin: RealNetwork, images: Any = None, labels: Any = None, *, weights: str = "auto",
           bits: int = 8, places: int | None = None, approximate: bool = False,
           kernels: Mapping[str, tuple[int, ...]] | None = None) -> Imported:
    """Round ``origin`` and report it; the options are those of :func:`.discretise.discretise`."""
    network, roundings = discretise(origin, weights, bits, places, approximate, kernels)
    report = Report(tool, roundings)
    made = Imported(replace(network, provenance=report.notes()), report, origin)
    return made if images is None else made.on(images, labels)


def fitting(heard: Input, images: Any) -> np.ndarray:
    """``images`` in the form that ``heard`` takes, planes flattened. Raises TypeError, ValueError."""
    images = np.asarray(images)
    spikes = heard.levels is None
    wanted = (heard.window, heard.size) if spikes else (heard.size,)
    if images.dtype.kind not in ("b" if spikes else "iu"):
        raise TypeError(f"images must be {'spikes, an array of bool' if spikes else 'levels, integers'}, "
                        f"not {images.dtype}")
    images = images.reshape(len(images), *images.shape[1:len(wanted)], -1) if images.ndim > 1 else images
    if not len(images) or images.shape[1:] != wanted:
        raise ValueError(f"images must have the shape (count, {', '.join(map(str, wanted))}), "
                         f"not {images.shape}")
    if heard.levels is not None and (images.min() < 0 or images.max() >= heard.levels):
        raise ValueError(f"a level must be from 0 to {heard.levels - 1}, "
                         f"not {images.min()} to {images.max()}")
    return images


def words(layer: Rounding) -> str:
    """What became of a layer, in one line."""
    kind = {"sign": "signs, 1 bit each", "ternary": "-1, 0 or +1, 2 bits each"}.get(
        layer.weights, f"integers of {layer.bits} bits")
    said = [f"{layer.count:,} weights as {kind}"]
    if layer.exact:
        said.append("exact")
    if layer.changed:
        said.append(f"{layer.changed:,} rounded, by {layer.farthest:.2%} of the largest at most")
    if layer.neuron:
        said.append(f"bias, reset or start rounded by {layer.neuron:.2%} of the threshold at most")
    if layer.leak:
        said.append("the leak rounds in every step")
    return "; ".join([*said, *layer.remarks])


def measured_words(found: Measured) -> dict[str, str]:
    """What rounding did to the images, by name."""
    said = {"Same class": f"{found.same:,} of {found.images:,} images ({found.same / found.images:.2%})",
            "Spikes changed": f"{found.changed:,}, of {found.spikes:,} before"}
    if found.right_before is not None and found.right_after is not None:
        said["Correct"] = (f"{found.right_before / found.images:.2%} before, "
                           f"{found.right_after / found.images:.2%} after")
    return said
