"""Writes ``README.md`` of this folder: every shipped network, measured by the golden model on its test
images.

Run as ``python -m firstspike.models.table --mnist DIR [--fashion-mnist DIR]``, with folders of IDX files.
"""

from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np

from ..errors import FirstspikeError
from ..gen.check import hardware
from ..network import Network, Readout
from ..network.file.reading import load
from ..quantize.data.idx import Images, load_idx
from ..quantize.train.evaluate import evaluate
from . import DEMO_IMAGES, FOLDER, shipped

__all__ = ["readme", "write_demo"]

HEADER = """\
# Networks that come with Firstspike

All weights are signs, one bit each; everything else is small integers. Accuracy is strict (a tie goes to
the higher potential, then to the lower index), over all test images, by the golden model; in brackets what
it would be if every output that fires first were taken for the answer, as some publications count. The
test images were looked at once, after training; everything was chosen on images held back from the
training set. Decision step and spikes are means per image; spikes until the decision are in brackets.
Hardware says whether `firstspike build` has circuits for it today, or what it has none for.

"""

FOOTER = """
The command made the network, with the data set's folder as DIR and the file as NET; a teacher is a network
of this table. The curves are those of the training and, for online networks, of accuracy against latency
on the images held back.

`mnist-demo.npz` holds the first {count} images of MNIST's test set and their labels (Y. LeCun, C. Cortes,
C. Burges; CC BY-SA 3.0), so that the networks can be tried without the data set.

This file is written by `python -m firstspike.models.table`.
"""

COLUMNS = ("network", "data", "inputs used", "accuracy", "decision step", "input spikes", "hidden spikes",
           "hardware", "seed", "curves", "command")


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
        rows.append(_row(name, network, tests[data]))
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


def _row(name: str, network: Network, images: Images) -> list[str]:
    notes, seen = network.provenance, evaluate(network, images.levels)
    decides = network.readout is Readout.FIRST_SPIKE
    spikes, until = seen.spikes.mean(axis=0), seen.spikes_until.mean(axis=0)
    hidden, hidden_until = spikes[1:-1].sum(), until[1:-1].sum()
    return [
        name, f"{images.name}", f"{len(network.input.used)} of {network.input.size}",
        f"{100 * seen.accuracy(images.labels):.2f} %"
        + (f" ({100 * seen.lenient_accuracy(images.labels):.2f} %)" if decides else ""),
        f"{seen.steps.mean():.2f} of {network.layers[-1].window}" if decides else "after the window",
        f"{spikes[0]:.1f} ({until[0]:.1f})" if decides else f"{spikes[0]:.1f}",
        f"{hidden:.1f} ({hidden_until:.1f})" if decides else f"{hidden:.1f}",
        hardware(network), str(notes.get("seed", "")), _pictures(name), f"`{_command(notes)}`",
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
