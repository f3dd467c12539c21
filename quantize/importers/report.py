"""What an import did to a network: what was rounded, how far, and what it did to the user's own images."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from ...network import Network, batched
from ...network.golden import check_images
from ...network.inputs import Input
from .discretise import Rounding, discretise
from .finest import finest
from .real_network import RealNetwork

__all__ = ["Imported", "Measured", "Report", "imported", "told_measure", "told_rounding"]

CHUNK = 128
"""Images that are run at a time."""


@dataclass(frozen=True)
class Measured:
    """What rounding changed on some images, by the golden model.

    Before is the network as finely as integers can say it (:mod:`.finest`), or, where nothing was rounded,
    the network itself. Where no integers can say it, what was before is None.

    Attributes
    ----------
    images : int
        How many.
    same : int or None
        Of how many the class is the same as before.
    spikes : int or None
        How many the network fired before.
    changed : int or None
        How many of the places (neuron and step) where one was, or is now, are not the same.
    right_before, right_after : int or None
        How many classes are right; None where no labels were given.
    """

    images: int
    same: int | None
    spikes: int | None
    changed: int | None
    right_before: int | None = None
    right_after: int | None = None

    @property
    def loss(self) -> float | None:
        """The share of images lost: right before and not after, net, or of another class without labels; None
        where that is not known."""
        if self.right_before is not None and self.right_after is not None:
            return (self.right_before - self.right_after) / self.images
        return None if self.same is None else (self.images - self.same) / self.images


@dataclass(frozen=True)
class Report:
    """What became of a network's numbers.

    Attributes
    ----------
    tool : str
        Where it came from.
    layers : tuple of Rounding
        One entry each.
    measured : Measured or None
        What that did to the user's images; None where there were none.
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
                "rounding": {layer.place: told_rounding(layer) for layer in self.layers}}
        return said if self.measured is None else said | {"measured": told_measure(self.measured)}

    def __str__(self) -> str:
        lines = [f"{layer.place}: {told_rounding(layer)}" for layer in self.layers]
        if self.measured is not None:
            lines += [f"{name}: {value}" for name, value in told_measure(self.measured).items()]
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Imported:
    """A network that came from another tool, and the report of what that took.

    Attributes
    ----------
    network : Network
        The integers.
    report : Report
        What became of the tool's numbers.
    origin : RealNetwork
        The same network before it was rounded, for :meth:`on`.
    """

    network: Network
    report: Report
    origin: RealNetwork = field(repr=False)

    def on(self, images: Any, labels: Any = None) -> "Imported":
        """The same with what rounding did to images in its report.

        The images' mean number of spikes goes into the network's calibration.

        Parameters
        ----------
        images : array_like
            Levels, or spikes, as the network takes them; where it has planes, in that shape or flat.
        labels : array_like or None
            A class for each.

        Raises
        ------
        TypeError, ValueError
            Images or labels do not fit the network, or each other.
        """
        images = _fitting(self.network.input, images)
        if labels is not None:
            labels = np.asarray(labels)
            if labels.shape != (len(images),):
                raise ValueError(f"labels must be one for each of the {len(images)} images, "
                                 f"not of the shape {labels.shape}")
        before = self.network if self.report.exact else finest(self.origin)
        found, spikes = _compared(before, self.network, images, labels)
        report = replace(self.report, measured=found)
        return replace(self, report=report, network=replace(
            self.network, calibration={**self.network.calibration, "mean_spikes": spikes},
            provenance={**self.network.provenance, **report.notes()}))


def _compared(before: Network | None, after: Network, images: np.ndarray,
              labels: np.ndarray | None) -> tuple[Measured, list[float]]:
    """What is not the same after as before, and the spikes an image of the input and of each layer after."""
    classes: dict[str, list[np.ndarray]] = {"before": [], "after": []}
    spikes = changed = 0
    means = np.zeros(1 + len(after.layers))
    for start in range(0, len(images), CHUNK):
        part = images[start:start + CHUNK]
        done = batched.run(after, part, first=start)
        classes["after"].append(done.label)
        means += np.multiply(done.mean_spikes, len(part))
        if before is None:
            continue
        was = done if before is after else batched.run(before, part, first=start)
        classes["before"].append(was.label)
        for name, layer in zip(after.names, done.layers, strict=True):
            fired = was.layers[before.index(name)].spikes
            assert fired is not None and layer.spikes is not None
            spikes += int(fired.sum())
            changed += int((fired != layer.spikes).sum())
    mean_spikes = [round(float(mean) / len(images), 3) for mean in means]
    new = np.concatenate(classes["after"])
    right_after = None if labels is None else int((new == labels).sum())
    if before is None:
        return Measured(len(images), None, None, None, None, right_after), mean_spikes
    old = np.concatenate(classes["before"])
    right_before = None if labels is None else int((old == labels).sum())
    same = int((old == new).sum())
    return Measured(len(images), same, spikes, changed, right_before, right_after), mean_spikes


def imported(tool: str, origin: RealNetwork, images: Any = None, labels: Any = None, *, weights: str = "auto",
             bits: int = 8, places: int | None = None, approximate: bool = False) -> Imported:
    """Round a network and report it.

    Parameters
    ----------
    tool : str
        Where it came from.
    origin : RealNetwork
        What that stated.
    images, labels : array_like or None
        As of :meth:`Imported.on`.
    weights, bits, places, approximate
        As of :func:`.discretise.discretise`.

    Raises
    ------
    TypeError, ValueError
        As of these two.
    """
    network, roundings = discretise(origin, weights, bits, places, approximate)
    report = Report(tool, roundings)
    made = Imported(replace(network, provenance=report.notes()), report, origin)
    return made if images is None else made.on(images, labels)


def _fitting(heard: Input, images: Any) -> np.ndarray:
    """``images`` in the form that ``heard`` takes: planes flattened. Raises TypeError, ValueError."""
    images = np.asarray(images)
    ahead = 2 if heard.levels is None else 1
    planes = images.shape[ahead:]
    wanted = [heard.shape] if heard.shape is not None else []
    if heard.shape is not None and heard.shape[0] == 1:
        wanted.append(heard.shape[1:])
    if planes in wanted or (heard.shape is None and len(planes) == 2 and len(images)):
        images = images.reshape(*images.shape[:ahead], -1)
    return check_images(heard, images)


def told_rounding(layer: Rounding) -> str:
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


def told_measure(found: Measured) -> dict[str, str]:
    """What rounding did to the images, by name."""
    right_after = None if found.right_after is None else found.right_after / found.images
    if found.same is None:
        said = {"Same class": f"not known of {found.images:,} images: no integers say what was before; "
                              "compare with the tool's own run"}
        return said if right_after is None else said | {"Correct": f"{right_after:.2%} after"}
    said = {"Same class": f"{found.same:,} of {found.images:,} images ({found.same / found.images:.2%})",
            "Spikes changed": f"{found.changed:,}, of {found.spikes:,} before"}
    if found.right_before is not None and right_after is not None:
        said["Correct"] = f"{found.right_before / found.images:.2%} before, {right_after:.2%} after"
    return said
