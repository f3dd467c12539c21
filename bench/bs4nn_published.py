"""BS4NN's published weights in the golden model, on all MNIST test images.

``python -m bench.bs4nn_published WEIGHTS``, the folder of ``W0_binary.npy`` and ``W1_binary.npy`` of
https://github.com/SRKH/BS4NN (under the GNU GPL 3, so they do not come with this project). Their signs are
the weights; the learned scales 4.037 and 9.065 of its notebook make the thresholds ``V > 100 / scale``, which
is ``V >= 25`` and ``V >= 12`` in whole numbers. A pixel spikes in step 255 - level; levels 0 and 1 are
silent, since nothing that fires after step 253 counts.

Where no output fires, the publication reads the potentials a step before ours are read: how many images that
decides otherwise stands beside the figures.
"""

from pathlib import Path

import click
import firstspike as fs
import numpy as np
from firstspike.quantize.data.idx import load_idx
from firstspike.quantize.train.evaluate import evaluate, output_potentials

from .common import Figure, data_folder, write_results

SCALES = (4.03707844, 9.06516109)
WINDOW = 254


def published(folder: Path) -> fs.Network:
    """The published network, from the folder of its two files of weights."""
    level = np.arange(256)
    source = fs.Input(784, WINDOW, fs.Latency(np.where(level > 1, 255 - level, -1)))
    layers = []
    for index, scale in enumerate(SCALES):
        weights = np.load(folder / f"W{index}_binary.npy", allow_pickle=False).squeeze()
        signs = np.where(weights > 0, 1, -1).astype(np.int8)
        layers.append(fs.Layer(fs.Dense(signs), WINDOW, threshold=int(100 / scale) + 1))
    return fs.Network(source, layers)


@click.command()
@click.argument("weights", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(weights: Path) -> None:
    """Measure and write the figures."""
    network, test = published(weights), load_idx(data_folder("mnist"), "test")
    found = evaluate(network, test.levels)
    used = found.spikes_until.mean(axis=0)
    waits = found.steps == WINDOW
    before = output_potentials(network, test.levels[waits])[:, -2].argmax(axis=1)
    write_results("bs4nn_published", [
        Figure("BS4NN's published weights: accuracy", 100 * found.accuracy(test.labels), "%", "higher"),
        Figure("BS4NN's published weights: accuracy if every tie of the first outputs were a hit",
               100 * found.lenient_accuracy(test.labels), "%", "higher", None, 97.0),
        Figure("BS4NN's published weights: mean decision step, share of the window",
               100 * float(found.steps.mean()) / WINDOW, "%", "lower"),
        Figure("BS4NN's published weights: input spikes used an image", float(used[0]), "spikes",
               "lower"),
        Figure("BS4NN's published weights: hidden spikes used an image", float(used[1]), "spikes",
               "lower"),
    ], network=network.digest, images_without_an_output_spike=int(waits.sum()),
        of_them_decided_otherwise_a_step_earlier=int((before != found.labels[waits]).sum()))


if __name__ == "__main__":
    main()
