"""What there is no circuit for is refused by name, before anything is made."""

import re
from pathlib import Path

import numpy as np
import pytest
from firstspike.cli import main
from firstspike.errors import FirstspikeError
from firstspike.gen.build import build
from firstspike.gen.check import check, hardware, refusals
from firstspike.network import Convolution, Dense, Input, Layer, Network, Pool, Probability, Spikes

ONES = np.ones((2, 16), int)


def network(synapses, source="input"):
    first = Layer(Dense(np.ones((16, 16), int)), 4, threshold=2, name="first")
    return Network(Input(16, 4, Spikes(), shape=(1, 4, 4)),
                   [first, Layer(synapses, 4, threshold=3, name="odd one")])


CASES = [
    (Convolution(np.ones((2, 1, 3, 3), int), (1, 4, 4)), "a convolution"),
    (Dense(ONES[:, :4], pool=Pool("max", 2, source_shape=(1, 4, 4))), "a max pool"),
    (Dense(ONES[:, :4], pool=Pool("sum", 2, source_shape=(1, 4, 4))), "a sum pool"),
    (Dense(ONES * np.array([1, 0] * 8)), "ternary weights"),
    (Dense(ONES * 3), "integer weights of 3 bits"),
    (Dense(ONES, scale=2), "scaled inputs"),
    (Dense(ONES, probability=Probability(128)), "synapses with a probability"),
    (Convolution(np.full((2, 1, 1, 1), -8), (1, 2, 2), pool=Pool("sum", 2, source_shape=(1, 4, 4)), scale=3),
     "a convolution, a sum pool, integer weights of 4 bits and scaled inputs"),
    ([Dense(ONES), Dense(ONES * 0, source="input"), Dense(ONES, scale=2)],
     "ternary weights, scaled inputs and 3 sources"),
]


@pytest.mark.parametrize("synapses, what", CASES)
def test_refuses_by_name(synapses, what):
    with pytest.raises(FirstspikeError) as refused:
        check(network(synapses))
    assert str(refused.value) == (
        f"there is no hardware yet for this network: layer 'odd one' has {what}; train or convert to "
        "another, or run this one in the golden model (firstspike score)")
    assert hardware(network(synapses)) == f"no: layer 'odd one' has {what}"


def test_every_layer_that_stands_in_the_way_is_named():
    layers = [Layer(Dense(ONES * 3), 4, threshold=2, name="a"),
              Layer(Dense(np.eye(2, dtype=int)), 4, threshold=1, name="b")]
    assert refusals(Network(Input(16, 4, Spikes()), layers)) == {
        "a": "has integer weights of 3 bits", "b": "has ternary weights"}


def test_takes_dense_signs():
    check(network(Dense(ONES)))
    assert hardware(network(Dense(ONES))) == "yes, by the event engine"


def test_takes_chains_alone():
    first = Layer(Dense(np.ones((16, 16), int)), 4, threshold=2, name="first")
    second = Layer(Dense(ONES[:, :16]), 4, threshold=2, name="second")
    third = Layer([Dense(ONES[:2, :2]), Dense(ONES, source="first")], 4, threshold=3, name="third")
    assert refusals(Network(Input(16, 4, Spikes()), [first, second, third])) == {"third": "has 2 sources"}


def test_a_build_of_such_a_network_leaves_nothing(tmp_path):
    made = network(CASES[0][0])
    with pytest.raises(FirstspikeError, match=r"no hardware yet .*layer 'odd one' has a convolution"):
        build(made, "ulx3s-85f", tmp_path / "build")
    assert not (tmp_path / "build").exists()


def test_the_command_line_ends_with_2(tmp_path, capsys):
    network(CASES[0][0]).save(tmp_path / "net.safetensors")
    with pytest.raises(SystemExit) as ended:
        main(["build", str(tmp_path / "net.safetensors"), "--board", "generic", "-o", str(tmp_path / "b")])
    assert ended.value.code == 2
    assert "layer 'odd one' has a convolution" in capsys.readouterr().err


def test_the_page_s_table_says_what_the_engines_say(root: Path):
    """Each refusal stands in a row of "no", by its words, and no row says "no" of anything else."""
    page = (root / "docs" / "bring-your-network.md").read_text()
    rows = dict(re.findall(r"^\| (.+) \| (yes.*|no) \|$", page, re.MULTILINE))
    said = "; ".join(words for words, answer in rows.items() if answer == "no")
    words = {re.sub(r" of \d bits|\d (?=sources)", "", what) for _, what in CASES[:7]} | {"sources"}
    assert len(words) == 8 and all(word in said for word in words)
    assert not any(word in "; ".join(name for name in rows if rows[name] != "no") for word in words)
    assert len([answer for answer in rows.values() if answer == "no"]) == 6
    assert f"{hardware(network(Dense(ONES)))} |" in page
