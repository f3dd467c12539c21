"""Network files taken apart and put together again, for tests of what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.network import Dense, Fires, Input, Latency, Layer, Network, Reset
from firstspike.network.canonical_json import canonical_json
from firstspike.network.file.container import TYPES, digest_of
from firstspike.network.file.reading import load
from safetensors import safe_open
from safetensors.numpy import load as tensors_of
from safetensors.numpy import save as serialise

__all__ = ["change", "put_together", "refusal", "same", "small", "taken_apart"]


def small() -> Network:
    """A network with something of everything that dense layers have."""
    rng = np.random.default_rng(5)
    layers = [
        Layer(Dense(rng.choice([-1, 1], (6, 9)), [4, 3, 2, 1]), 4, fires=Fires.MANY, threshold=300, leak=3,
              reset=Reset.TO, reset_value=-2, bias=[1, 2, 3, 4, 5, 6], name="größer ]; endmodule"),
        Layer(Dense(rng.choice([-1, 1], (3, 6))), 4, threshold=[1, 2, 70_000]),
    ]
    return Network(Input(9, 4, Latency([-1, 3, 2, 1, 0]), np.arange(9) % 4 != 1), layers,
                   provenance={"recipe": "none", "seed": 3, "accuracy": 0.5},
                   calibration={"mean_spikes": [4.5, 2.25, 1]})


def taken_apart(path: Path):
    """The tensors and the JSON object of a file."""
    with safe_open(str(path), "numpy") as file:
        return tensors_of(path.read_bytes()), json.loads(file.metadata()["firstspike"])


def put_together(path: Path, tensors, about, redigest=True) -> None:
    """A file with that content; ``redigest``: with the digest that such a content would have."""
    if redigest:
        about["digest"] = digest_of(
            {name: (TYPES.get(array.dtype.str[1:], "F64"), array.shape, array.tobytes())
             for name, array in tensors.items()}, about)
    path.write_bytes(serialise(tensors, metadata={"firstspike": canonical_json(about)}))


def refusal(path) -> str:
    """The one sentence with which a file is refused."""
    with pytest.raises(FirstspikeError) as refused:
        load(path)
    sentence = str(refused.value)
    assert str(path) in sentence and "; " in sentence and "\n" not in sentence.replace(str(path), "")
    return sentence


def same(one: Network, other: Network) -> bool:
    """Whether two networks are equal, value by value and in their digests."""
    assert one.readout is other.readout and one.provenance == other.provenance
    assert one.calibration == other.calibration and one.names == other.names
    assert one.input.size == other.input.size and one.input.window == other.input.window
    assert type(one.input.encoding) is type(other.input.encoding)
    assert np.array_equal(one.input.mask, other.input.mask) and one.input.shape == other.input.shape
    for a, b in zip(one.layers, other.layers, strict=True):
        for name in a.__dataclass_fields__:
            if name == "synapses":
                for s, r in zip(a.synapses, b.synapses, strict=True):
                    assert type(s) is type(r) and r.weights.dtype == np.int8
                    for part in set(s.__dataclass_fields__) - {"probability"}:
                        assert np.array_equal(getattr(s, part), getattr(r, part)), part
                    assert (s.probability is None) == (r.probability is None)
                    if s.probability is not None:
                        assert np.array_equal(s.probability.levels, r.probability.levels)
                        assert (s.probability.seed, s.probability.draw) == (r.probability.seed,
                                                                            r.probability.draw)
            elif isinstance(value := getattr(a, name), np.ndarray):
                assert np.array_equal(value, getattr(b, name)) and getattr(b, name).dtype == np.int64, name
            else:
                assert value == getattr(b, name) and type(value) is type(getattr(b, name)), name
    return one.digest == other.digest


def change(about, path, value):
    """``about`` with ``value`` at ``path``; None takes the field away."""
    about = json.loads(json.dumps(about))
    *way, name = path
    place = about
    for key in way:
        place = place[key]
    if value is None:
        del place[name]
    else:
        place[name] = value
    return about
