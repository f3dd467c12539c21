"""What there is no circuit for is refused by name, before anything is made."""

import numpy as np
import pytest
from firstspike.cli import main
from firstspike.errors import FirstspikeError
from firstspike.gen.build import build
from firstspike.gen.check import check
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
     "ternary weights and scaled inputs"),
]


@pytest.mark.parametrize("synapses, what", CASES)
def test_refuses_by_name(synapses, what):
    with pytest.raises(FirstspikeError) as refused:
        check(network(synapses))
    assert str(refused.value) == (
        f"layer 'odd one' has {what}, but hardware is so far built only for dense layers of -1 and +1; train "
        "or convert to such a network, or run this one in the golden model (firstspike score)")


def test_takes_dense_signs():
    check(network(Dense(ONES)))
    with pytest.raises(FirstspikeError, match=r"^layer 'odd one' listens to 'first', 'input', but hardware"):
        check(network([Dense(ONES), Dense(ONES, source="input")]))


def test_a_build_of_such_a_network_leaves_nothing(tmp_path):
    made = network(CASES[0][0])
    with pytest.raises(FirstspikeError, match="has a convolution, but hardware is so far"):
        build(made, "ulx3s-85f", tmp_path / "build")
    assert not (tmp_path / "build").exists()


def test_the_command_line_ends_with_2(tmp_path, capsys):
    network(CASES[0][0]).save(tmp_path / "net.safetensors")
    with pytest.raises(SystemExit) as ended:
        main(["build", str(tmp_path / "net.safetensors"), "--board", "generic", "-o", str(tmp_path / "b")])
    assert ended.value.code == 2
    assert "layer 'odd one' has a convolution, but hardware is so far" in capsys.readouterr().err
