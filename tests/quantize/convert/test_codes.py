"""Codes: what neurons pass on of a number."""

import pytest

torch = pytest.importorskip("torch")

from firstspike.quantize.convert import codes  # noqa: E402
from firstspike.quantize.convert.t2fsnn import exponential  # noqa: E402
from firstspike.quantize.schedules import powers_of_two  # noqa: E402

CODES = {
    "linear": lambda: codes.linear(6, nearest=True), "linear down": lambda: codes.linear(6, nearest=False),
    "binary": lambda: codes.binary(4, nearest=True),
    "table": lambda: codes.table(exponential(7, 2.5), nearest=False),
    "two": lambda: codes.table(powers_of_two(5), nearest=True),
    "rate": lambda: codes.rate(5, 0.5), "rate from 0": lambda: codes.rate(1, 0.0),
}


@pytest.mark.parametrize("name", CODES)
def test_nearest_is_what_a_neuron_passes_on(name):
    """One neuron that hears its value at once, or evenly: fire() and nearest() agree."""
    code = CODES[name]()
    values = torch.arange(-300, 9000, 7).double()
    unit, scale = (100.0, 100) if code.passes is None else (6.0, 6)
    threshold = torch.tensor([round(code.share * scale)]).double()
    share = float(threshold) / scale
    code = codes.Code(code.window, code.phase, code.fires, code.schedule, code.passes, share, code.lead)
    if code.passes is None:
        even = values.expand(code.window, 1, len(values)) / code.window
        given = code.fire(even.transpose(1, 2), code.lead * threshold, threshold).mean(dim=0)
    else:
        given = code.fire(values[:, None], code.lead * threshold, threshold)
    heard = values / code.window if code.passes is None else values
    torch.testing.assert_close(given[:, 0] * unit, code.nearest(heard, unit), rtol=0, atol=1e-9)
    assert given.max() == (1 if code.passes is None else code.top)


def test_gradient_of_a_level():
    code = codes.linear(4, nearest=False)
    sums = torch.tensor([[-5.0, 5.0, 19.0, 50.0]], requires_grad=True)
    threshold = torch.full((4,), 10.0, requires_grad=True)
    code.fire(sums, torch.zeros(4), threshold).sum().backward()
    torch.testing.assert_close(sums.grad, torch.tensor([[0, 0.1, 0.1, 0]]))
    torch.testing.assert_close(threshold.grad, torch.tensor([0, -0.05, -0.19, 0]))


def test_gradient_of_a_spike():
    """A slope of 1 in thresholds, half a threshold to each side."""
    code = codes.rate(1, 0.5)
    sums = torch.tensor([[[-1.0, 1.0, 4.0, 6.0, 9.0, 12.0]]], requires_grad=True)
    spikes = code.fire(sums, torch.full((6,), 5.0), torch.full((6,), 10.0))
    assert spikes.flatten().tolist() == [0, 0, 0, 1, 1, 1]
    spikes.sum().backward()
    torch.testing.assert_close(sums.grad.flatten(), torch.tensor([0, 0.1, 0.1, 0.1, 0.1, 0]))
