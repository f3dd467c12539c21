"""Writes ``README.md`` of this folder: every shipped network, measured by the golden model on its test
images.

Run as ``python -m firstspike.models.table --mnist DIR [--fashion-mnist DIR]``, with folders of IDX files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from ..errors import FirstspikeError
from ..network import Network, Readout, batched
from ..network.file.reading import load
from ..quantize.data.idx import Images, load_idx
from . import DEMO_IMAGES, FOLDER, shipped

__all__ = ["measured", "readme", "write_demo"]

HEADER = """\
# Networks that come with Firstspike

All weights are signs, one bit each; everything else is small integers. Accuracy is strict (a tie goes to
the higher potential, then to the lower index), over all test images, by the golden model; in brackets what
it would be if every output that fires first were taken for the answer, as some publications count. The
test images were looked at once, after training; everything was chosen on images held back from the
training set. Decision step and spikes are means per image; spikes until the decision are in brackets.

"""

FOOTER = """
The command made the network, with the data set's folder as DIR and the file as NET; a teacher is a network
of this table. The curves are those of the training and, for online networks, of accuracy against latency
on the images held back.

`mnist-demo.npz` holds the first {count} images of MNIST's test set and their labels (Y. LeCun, C. Cortes,
C. Burges; CC BY-SA 3.0), so that the networks can be tried without the data set.

This file is written by `python -m firstspike.models.table`.
"""

MOST_SPIKES = 1 << 26
"""A byte each is kept for so many places of a spike at once: images are taken in parts of so many."""

COLUMNS = ("network", "data", "inputs used", "accuracy", "decision step", "input spikes", "hidden spikes",
           "seed", "curves", "command")


@dataclass(frozen=True, eq=False)
class Measured:
    """What a network did with a test set.

    ``accuracy``: share of the images; ``lenient``: the same with every tie of the first outputs taken for a
    hit; ``step``: mean decision step; ``spikes``, ``until``: mean spikes per image of the input and of each
    layer, in the whole window and up to and with the decision step; ``most``: mean over the images of the
    most spikes of one layer until then.
    """

    accuracy: float
    lenient: float
    step: float
    spikes: np.ndarray
    until: np.ndarray
    most: float


def measured(network: Network, images: Images) -> Measured:
    """The figures of one network on a test set, by the batched golden model."""
    correct, lenient, steps, spikes, until = [], [], [], [], []
    places = network.input.size * network.input.window + sum(layer.size * layer.window
                                                             for layer in network.layers)
    many = min(1000, max(1, MOST_SPIKES // places))
    for start in range(0, len(images), many):
        part = slice(start, start + many)
        seen = batched.run(network, images.levels[part].astype(np.int64), first=start)
        correct.append(seen.label == images.labels[part])
        lenient.append(correct[-1] | _among_the_first(network, seen, images.labels[part]))
        steps.append(seen.step)
        by_step = [_counts(seen.input_spikes), *(_counts(layer.spikes) for layer in seen.layers)]
        spikes.append([counts.sum(axis=1) for counts in by_step])
        until.append([_until(counts, seen.step, network) for counts in by_step])
    early = np.concatenate(until, axis=1)
    return Measured(
        float(np.concatenate(correct).mean()), float(np.concatenate(lenient).mean()),
        float(np.concatenate(steps).mean()), np.concatenate(spikes, axis=1).mean(axis=1),
        early.mean(axis=1), float(early.max(axis=0).mean()))


def readme(folders: dict[str, Path]) -> str:
    """The text of the README.

    ``folders``: where the data set of each name ("MNIST", "Fashion-MNIST") is; raises ``FirstspikeError``
    where a shipped network needs another.
    """
    rows, tests = [], {}
    for name, path in shipped().items():
        network = load(path)
        data = str(network.provenance.get("data"))
        if data not in folders:
            raise FirstspikeError(f"network {name} is measured on {data}, whose folder is not given")
        if data not in tests:
            tests[data] = load_idx(folders[data], "test")
        rows.append(_row(name, network, tests[data], measured(network, tests[data])))
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    with np.load(DEMO_IMAGES, allow_pickle=False) as demo:
        count = len(demo["labels"])
    return HEADER + "\n".join(lines) + "\n" + FOOTER.format(count=count)


def write_demo(folder: Path, count: int = 64) -> Path:
    """Write the first ``count`` MNIST test images, with their labels, to ``mnist-demo.npz``."""
    images = load_idx(folder, "test")
    labels = images.labels[:count].astype(np.uint8)
    np.savez_compressed(DEMO_IMAGES, images=images.levels[:count], labels=labels, indices=np.arange(count))
    return DEMO_IMAGES


def _counts(spikes: np.ndarray | None) -> np.ndarray:
    """Spikes of each step: shape ``(count, window)``."""
    assert spikes is not None
    return np.count_nonzero(spikes, axis=2)


def _among_the_first(network: Network, seen: batched.Batch, labels: np.ndarray) -> np.ndarray:
    """Whether the right output fires in the deciding step."""
    spikes, count = seen.layers[-1].spikes, np.arange(len(labels))
    assert spikes is not None
    if network.readout is not Readout.FIRST_SPIKE:
        return np.zeros(len(labels), bool)
    last = np.minimum(seen.step, spikes.shape[1] - 1)
    return (spikes[count, last, labels] != 0) & (seen.step == last)


def _until(counts: np.ndarray, step: np.ndarray, network: Network) -> np.ndarray:
    if network.readout is not Readout.FIRST_SPIKE:
        return counts.sum(axis=1)
    return np.where(np.arange(counts.shape[1]) <= step[:, None], counts, 0).sum(axis=1)


def _row(name: str, network: Network, images: Images, figures: Measured) -> list[str]:
    notes = network.provenance
    decides = network.readout is Readout.FIRST_SPIKE
    spikes, until = figures.spikes, figures.until
    hidden, hidden_until = spikes[1:-1].sum(), until[1:-1].sum()
    return [
        name, f"{images.name}", f"{len(network.input.used)} of {network.input.size}",
        f"{100 * figures.accuracy:.2f} %" + (f" ({100 * figures.lenient:.2f} %)" if decides else ""),
        f"{figures.step:.2f} of {network.layers[-1].window}" if decides else "after the window",
        f"{spikes[0]:.1f} ({until[0]:.1f})" if decides else f"{spikes[0]:.1f}",
        f"{hidden:.1f} ({hidden_until:.1f})" if decides else f"{hidden:.1f}",
        str(notes.get("seed", "")), _pictures(name), f"`{_command(notes)}`",
    ]


def _command(notes: Mapping) -> str:
    """What was typed: the recipe and its options, and the device where it was none that every machine has."""
    device = notes.get("device", "cpu")
    return f"{notes.get('command', '')}" + (f" --device {device}" if device != "cpu" else "")


def _pictures(name: str) -> str:
    """Links to the pictures beside a network."""
    kinds = [kind for kind in ("training", "latency") if (FOLDER / f"{name}.{kind}.png").is_file()]
    return ", ".join(f"[{kind}]({name}.{kind}.png)" for kind in kinds)


@click.command()
@click.option("--mnist", type=click.Path(path_type=Path), required=True, help="Folder of MNIST's IDX files.")
@click.option("--fashion-mnist", type=click.Path(path_type=Path), help="Folder of Fashion-MNIST's IDX files.")
def main(mnist: Path, fashion_mnist: Path | None) -> None:
    """Measure every shipped network and write the demo images and README.md beside them."""
    folders = {"MNIST": mnist}
    if fashion_mnist:
        folders["Fashion-MNIST"] = fashion_mnist
    try:
        write_demo(mnist)
        text = readme(folders)
    except FirstspikeError as error:
        raise click.ClickException(str(error)) from error
    (FOLDER / "README.md").write_text(text, encoding="utf-8")
    click.echo(text)


if __name__ == "__main__":
    main()
