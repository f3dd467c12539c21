"""Real weights on grids of integers."""

import pytest

torch = pytest.importorskip("torch")

from firstspike.quantize.convert.grid import on_grid, steps  # noqa: E402


@pytest.mark.parametrize(("bits", "expected"), [
    (1, [-1, -1, 1, 1, 1, 1]), (2, [-1, -1, 0, 0, 1, 1]), (3, [-3, -1, 0, 0, 1, 3]),
    (8, [-9, -1, 0, 0, 1, 9])])
def test_on_grid(bits, expected):
    weight = torch.tensor([[-9.0, -0.8, 0.0, 0.4, 0.8, 9.0]], requires_grad=True)
    found = on_grid(weight, torch.ones(1, 1), bits)
    assert found.tolist() == [expected]
    found.sum().backward()
    inside = {1: 2.0, 2: 1.5, 3: 3.5, 8: 127.5}[bits]
    assert weight.grad.tolist() == [[float(abs(value) <= inside) for value in (9, 0.8, 0, 0.4, 0.8, 9)]]


def test_gradients_are_of_the_real_weights():
    weight = torch.tensor([[0.5, -0.25]], requires_grad=True)
    on_grid(weight, torch.full((1, 1), 0.25), 8).sum().backward()
    assert weight.grad.tolist() == [[4.0, 4.0]]


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_weights_on_a_grid_are_kept(bits):
    """Each row has a grid of its own, or one for all."""
    most = (1 << (bits - 1)) - 1
    generator = torch.Generator().manual_seed(bits)
    whole = torch.randint(-most, most + 1, (6, 30), generator=generator).float()
    whole[:, 0], whole[:, 1] = 1, -most
    scale = torch.rand(6, 1, generator=generator) + 0.1
    step = steps(whole * scale, bits, together=False)
    torch.testing.assert_close(step, scale, rtol=1e-5, atol=0)
    assert torch.equal(on_grid(whole * scale, step, bits), whole)
    step = steps(whole * 0.37, bits, together=True)
    assert step.shape == (1, 1)
    assert torch.equal(on_grid(whole * 0.37, step, bits), whole)


def test_signs_are_kept_with_their_size():
    weight = torch.tensor([[0.3, -0.3, -0.3], [2.0, 2.0, -2.0]])
    assert steps(weight, 1, together=False).flatten().tolist() == pytest.approx([0.3, 2.0])
    mixed = torch.tensor([[1.0, 0.0, -0.5]])
    assert steps(mixed, 1, together=False).item() == 0.5
    assert on_grid(mixed, torch.ones(1, 1), 1).tolist() == [[1, 1, -1]]


def test_steps_have_the_least_error_of_those_tried():
    weight = torch.randn(1, 200, generator=torch.Generator().manual_seed(1))
    weight[0, 7] = 9

    def error(step):
        return float((on_grid(weight, step, 3) * step - weight).square().mean())

    assert 0 < error(steps(weight, 3, together=False)) < 0.8 * error(torch.full((1, 1), 3.0))


def test_rows_of_nothing():
    weight = torch.zeros(2, 3)
    assert torch.equal(on_grid(weight, steps(weight, 4, together=False), 4), weight)
