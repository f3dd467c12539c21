"""Network files changed at random, by chance or by someone who computes digests, and what becomes of them."""

import json
from pathlib import Path

import numpy as np
from firstspike.errors import FirstspikeError
from firstspike.network import Network, batched, golden
from firstspike.network.file.reading import load
from firstspike.network.scoring import score
from harness.network_files import change, put_together, taken_apart
from harness.strategies import ALL, random_images, random_network

__all__ = ["OUTCOMES", "byte_mutant", "outcome", "redigested_mutant", "some_network"]

OUTCOMES = ("refused", "used")
"""What may become of a file: one sentence, or a network that does all that a network does."""

_VALUES = [None, 0, 1, -1, 2, 1 << 16, 1 << 62, 1 << 70, 10 ** 309, 1.5, True, "", "input", "layer0", "once",
           "never", "many", "windowed", "online", "potential", "count", [], {}, ["dense"], "integer", "sum",
           [1, 1], "\x1b[31m", "a\nb"]


def some_network(rng: np.random.Generator) -> Network:
    """A small network of any kind."""
    return random_network(rng, ALL) if rng.random() < 0.7 else random_network(rng)


def byte_mutant(rng: np.random.Generator, whole: bytes) -> bytes:
    """A file with bytes changed, cut out, doubled or swapped in one to three places; never the same."""
    header = 8 + int.from_bytes(whole[:8], "little")
    mutant = bytearray(whole)
    while bytes(mutant) == whole:
        for _ in range(int(rng.integers(1, 4))):
            place = int(rng.integers(0, header if rng.random() < 0.7 else len(mutant)))
            match rng.integers(5):
                case 0:
                    mutant[place % len(mutant)] ^= 1 << int(rng.integers(8))
                case 1:
                    mutant[place % len(mutant)] = int(rng.choice(list(b'0129"{}[],:-e\0\xff')))
                case 2:
                    del mutant[place:place + int(rng.integers(1, 9))]
                case 3:
                    mutant[place:place] = mutant[place:place + int(rng.integers(1, 9))]
                case _:
                    mutant[place:place + 4] = rng.bytes(4)
    return bytes(mutant)


def redigested_mutant(rng: np.random.Generator, path: Path) -> None:
    """Change fields or tensors of the file ``path``, and give it the digest that it then has to have."""
    tensors, about = taken_apart(path)
    for _ in range(int(rng.integers(1, 3))):
        if rng.random() < 0.5:
            way, place = [], about
            while isinstance(place, dict | list) and place and (not way or rng.random() < 0.8):
                keys = list(place) if isinstance(place, dict) else list(range(len(place)))
                way.append(keys[rng.integers(len(keys))])
                place = place[way[-1]]
            about = change(about, way, _VALUES[rng.integers(len(_VALUES))])
        else:
            name = str(rng.choice(list(tensors)))
            array = tensors[name].copy()
            limits = np.iinfo(array.dtype)
            if array.size and rng.random() < 0.8:
                array.flat[rng.integers(array.size)] = rng.integers(limits.min, limits.max, endpoint=True)
            else:
                array = [array.ravel()[:-1], np.repeat(array, 2), array.astype(np.int64)][rng.integers(3)]
            tensors[name] = array
    put_together(path, tensors, json.loads(json.dumps(about)))


def outcome(path: Path, rng: np.random.Generator) -> str:
    """What becomes of a file: it is refused in one sentence, or it is loaded and used; else this raises.

    To use it is to write it again, which gives the same bytes; to run it on images, by both forms of the
    golden model, which do the same; and to score it.
    """
    try:
        network = load(path)
    except FirstspikeError as error:
        assert str(path) in str(error) and "; " in str(error) and str(error).isprintable(), str(error)
        return "refused"
    again = path.with_name("again")
    network.save(again)
    assert again.read_bytes() == path.read_bytes(), "it is written in another form"
    images = random_images(rng, network, 3)
    batch = batched.run(network, images)
    for index, image in enumerate(images):
        trace = golden.run(network, image, index)
        assert (trace.label, trace.step) == (batch.label[index], batch.step[index])
        assert np.array_equal(trace.input_spikes, batch.input_spikes[index])
        for one, many in zip(trace.layers, batch.layers, strict=True):
            assert np.array_equal(one.spikes, many.spikes[index])
            assert np.array_equal(one.potential, many.potential[index])
    scored = score(network, images, batch.label)
    assert scored.correct == 3 and np.array_equal(scored.labels, batch.label)
    return "used"
