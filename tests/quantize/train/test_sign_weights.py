"""Real weights behind signs: how they begin, what is pruned, what the network gets."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from firstspike.network import Input, Latency  # noqa: E402
from firstspike.quantize.train.sign_weights import SignWeights, all_sign_weights, integers  # noqa: E402


def weights_of(values):
    made = SignWeights((1, len(values)), torch.Generator().manual_seed(1))
    with torch.no_grad():
        made.real.copy_(torch.tensor([values]))
    return made


def test_start():
    made, again = (SignWeights((5, 2, 3, 3), torch.Generator().manual_seed(7)) for _ in range(2))
    assert made.real.shape == (5, 2, 3, 3) and torch.equal(made.real, again.real)
    assert made.real.abs().max() <= 0.1 and made.real.min() < 0 < made.real.max()
    assert set(made().unique().tolist()) == {-1, 1}
    assert [name for name, _ in made.named_parameters()] == ["real"] and made.kept is None


@pytest.mark.parametrize(("weights", "share", "expected"), [
    ([-2.0, 0.0, 0.3, -0.1, 0.5, -0.4], 0.0, [-1, 1, 1, -1, 1, -1]),
    ([-2.0, 0.0, 0.3, -0.1, 0.5, -0.4], 0.1, [-1, 1, 1, -1, 1, -1]),
    ([-2.0, 0.0, 0.3, -0.1, 0.5, -0.4], 0.2, [-1, 0, 1, -1, 1, -1]),
    ([-2.0, 0.0, 0.3, -0.1, 0.5, -0.4], 0.5, [-1, 0, 0, 0, 1, -1]),
    ([1.0, -1.0, 0.5, -1.0, 1.0, 1.0], 0.5, [0, 0, 0, -1, 1, 1]),
    ([1.0, -1.0], 0.99, [0, -1]),
])
def test_the_nearest_to_zero_are_pruned(weights, share, expected):
    made = weights_of(weights)
    made.prune(share)
    assert made().tolist() == [expected] and made.integers().tolist() == [expected]


def test_what_is_pruned_stays_so_and_has_no_gradient():
    made = weights_of([0.1, -0.2, 0.3, -0.4])
    made.prune(0.25)
    made().sum().backward()
    assert made.real.grad.tolist() == [[0, 1, 1, 1]]
    made.real.grad = None
    made.sums(torch.tensor([[3.0, 4.0, 5.0, 6.0]])).sum().backward()
    assert made.real.grad.tolist() == [[0, 4, 5, 6]]
    with torch.no_grad():
        made.real[0, 0] = 1.0
    for share, expected in ((0.25, [0, -1, 1, -1]), (0.0, [0, -1, 1, -1]), (0.5, [0, 0, 1, -1])):
        made.prune(share)
        assert made().tolist() == [expected]


def test_what_is_pruned_is_part_of_the_state():
    made, other = weights_of([0.1, -0.2, 0.3]), weights_of([1.0, 1.0, 1.0])
    made.prune(0.4)
    other.prune(0.0)
    other.load_state_dict(made.state_dict())
    assert other().tolist() == [[0, -1, 1]]


def test_dense_synapses():
    made = weights_of([0.1, -0.2, 0.3])
    source = Input(5, 2, Latency([-1, 1, 0]), np.array([True, False, True, True, False]))
    assert made.dense([2, 1]).weights.tolist() == [[1, -1, 1]]
    assert made.dense([2, 1], source).weights.tolist() == [[1, 1, -1, 1, 1]]
    assert made.dense([2, 1], source, torch.tensor([-1.0])).weights.tolist() == [[-1, 1, 1, -1, 1]]
    made.prune(0.4)
    found = made.dense([2, 1], source)
    assert found.weights.tolist() == [[0, 0, -1, 1, 0]] and np.ravel(found.kernel).tolist() == [2, 1]


def test_turned_channels():
    made = SignWeights((2, 1, 1, 2), torch.Generator().manual_seed(1))
    plain = made.integers()
    assert plain.dtype == np.int8
    np.testing.assert_array_equal(made.integers(torch.tensor([1.0, -1.0])),
                                  plain * np.array([1, -1])[:, None, None, None])


def test_all_of_a_module():
    parts = [weights_of([1.0]), weights_of([2.0])]
    module = torch.nn.Sequential(parts[0], torch.nn.Linear(1, 1), torch.nn.Sequential(parts[1]))
    assert list(all_sign_weights(module)) == parts


def test_integers():
    found = integers(torch.tensor([1.2, -3.0], requires_grad=True))
    assert found.dtype == np.int64 and found.tolist() == [1, -3]
