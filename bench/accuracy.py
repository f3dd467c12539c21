"""Accuracy, decision step and spikes of the shipped networks, by the golden model on all their test images.

``python -m bench.accuracy``. Scoring is strict: a tie goes to the higher potential, then to the lower index.
"""

from firstspike.models import find, shipped
from firstspike.network import Network, Readout
from firstspike.network.file.reading import load
from firstspike.quantize.data.idx import Images, load_idx
from firstspike.quantize.train.evaluate import evaluate

from .common import Figure, data_folder, write_results

MARKS = {  # accuracy in %: floor, goal
    "mnist-784-600-10-online": (97.6, 98.3),
    "mnist-784-600-10-windowed": (98.5, 98.9),
    "mnist-784-128-10-online": (96.0, 97.5),
    "mnist-784-128-10-windowed": (96.0, 97.5),
    "mnist-784-600-10-bs4nn": (95.66, 97.0),
    "mnist-784-1200-1200-10-windowed": (98.8, 99.0),
    "fashion-784-600-10-windowed": (89.5, 91.0),
    "fashion-784-1000-10-online": (88.0, 89.5),
    "mnist-conv-windowed": (99.3, 99.6),
    "fashion-conv-windowed": (92.0, 93.2),
}
"""Of ``bs4nn`` the marks are what its published weights reach, strictly scored, and what its paper says."""

STEPS = {"mnist-784-600-10-online": (25, 20), "mnist-784-128-10-online": (25, 20)}  # % of the window

FOLDERS = {"MNIST": "mnist", "Fashion-MNIST": "fashion_mnist"}


def figures(name: str, network: Network, images: Images) -> list[Figure]:
    """The figures of one network."""
    found = evaluate(network, images.levels)
    listed = [Figure(f"{name}: accuracy", round(100 * found.accuracy(images.labels), 4), "%", "higher",
                     *MARKS[name])]
    used = found.spikes_until.mean(axis=0)
    if network.readout is Readout.FIRST_SPIKE:
        listed.append(Figure(f"{name}: mean decision step, share of the window",
                             round(100 * float(found.steps.mean()) / network.layers[-1].window, 3), "%",
                             "lower", *STEPS.get(name, (None, None))))
        listed.append(Figure(f"{name}: accuracy if every tie of the first outputs were a hit",
                             round(100 * found.lenient_accuracy(images.labels), 4), "%", "higher"))
        listed.append(Figure(f"{name}: most spikes of one layer until the decision",
                             round(float(found.spikes_until.max(axis=1).mean()), 3), "spikes", "lower"))
    listed += [Figure(f"{name}: input spikes used an image", round(float(used[0]), 3), "spikes", "lower"),
               Figure(f"{name}: hidden spikes used an image", round(float(used[1:-1].sum()), 3), "spikes",
                      "lower")]
    return listed


def main() -> None:
    """Measure every shipped network that has marks, and write the results."""
    listed, seeds = [], set()
    for name in MARKS:
        if name not in shipped():
            continue
        network = load(find(name))
        images = load_idx(data_folder(FOLDERS[str(network.provenance["data"])]), "test")
        listed += figures(name, network, images)
        seeds.add(network.provenance["seed"])
    write_results("accuracy", listed, seed=seeds.pop() if len(seeds) == 1 else None)


if __name__ == "__main__":
    main()
