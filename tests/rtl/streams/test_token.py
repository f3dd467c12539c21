"""How a stream is laid out, on one lane and on several."""

import pytest
from amaranth.hdl import Signal, signed, unsigned
from firstspike.rtl.streams.banks import Banks
from firstspike.rtl.streams.token import Kind, Order, Token


def fields(layout):
    return {name: field.shape for name, field in layout}


def test_one_lane_is_one_token():
    """Whatever the order; the same fields in the same places as ever."""
    for order in Order:
        assert fields(Token(10, 5, value_bits=3, tagged=True, order=order)) == {
            "kind": Kind, "address": range(10), "step": range(5), "value": 3, "tag": 1}
    assert fields(Token(10, 5, potential_bits=7)) == {
        "kind": Kind, "address": range(10), "step": range(5), "value": 0, "tag": 0,
        "potential": signed(7), "dump": 1, "some": 1}
    assert Token(10, 5).size == 2 + 4 + 3


@pytest.mark.parametrize("order, together, each", [("step", 3, 0), ("raster", 0, 3), ("none", 0, 3)])
def test_several_lanes_have_a_step_together_or_each(order, together, each):
    token = Token(10, 5, value_bits=3, tagged=True, lanes=4, order=Order(order))
    assert token.size == 2 + together + 1 + 4 * (1 + 4 + each + 3)
    payload = Signal(token)
    assert [len(spike) for spike in token.spikes(payload)] == [4] * 4
    assert all(spike.step.shape() == unsigned(3) for spike in token.spikes(payload))


def test_in_banks_an_address_is_a_row():
    banks = Banks(10, 4)
    token = Token(10, 5, lanes=4, banks=banks)
    assert token == Token(10, 5).with_lanes(4, banks)
    assert token.size == 2 + 3 + 4 * (1 + 2)
    assert Token(10, 5, lanes=10, banks=Banks(10, 10)).size == 2 + 3 + 10, "a bit an address"
    assert all(len(spike.address) == 4 for spike in token.spikes(Signal(token)))


@pytest.mark.parametrize("options, message", [
    ({"lanes": 0}, "Lanes must be a positive integer, not 0"),
    ({"lanes": 2.0}, "Lanes must be a positive integer, not 2.0"),
    ({"lanes": 2, "potential_bits": 5}, "Potentials must travel on one lane, not on 2"),
    ({"lanes": 2, "banks": Banks(10, 4)}, "Banks must be those of 10 addresses, one for each of several "
     "lanes, not 4 of 10 for 2"),
    ({"lanes": 4, "banks": Banks(9, 4)}, "Banks must be those of 10 addresses, one for each of several "
     "lanes, not 4 of 9 for 4"),
    ({"lanes": 1, "banks": Banks(10, 1)}, "Banks must be those of 10 addresses, one for each of several "
     "lanes, not 1 of 10 for 1"),
])
def test_what_is_refused(options, message):
    with pytest.raises(ValueError) as caught:
        Token(10, 5, **options)
    assert str(caught.value) == message


def test_an_order_has_a_name():
    assert [order.value for order in Order] == ["step", "raster", "none"]
    with pytest.raises(ValueError):
        Token(10, 5, order="sideways")
