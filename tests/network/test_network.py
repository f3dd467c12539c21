"""The description: what it fills in, and what it refuses in which words."""

from dataclasses import replace

import numpy as np
import pytest
from firstspike.network import (
    Bits,
    Convolution,
    Dense,
    Direct,
    Fires,
    Input,
    Latency,
    Layer,
    Limits,
    Network,
    Phase,
    Probability,
    Readout,
    Reset,
    Spikes,
)

HEARD = Input(6, 4, Latency([-1, 3, 2, 1, 0]))


def signs(neurons, addresses, seed=0):
    return np.where(np.random.default_rng(seed).random((neurons, addresses)) < 0.5, 1, -1)


def hidden(**fields):
    return Layer(Dense(signs(5, 6)), **{"window": 4, "threshold": 2, **fields})


def last(**fields):
    return Layer(Dense(signs(3, 5)), **{"window": 4, "threshold": 2, **fields})


def two(first=None, second=None, readout=Readout.FIRST_SPIKE, heard=HEARD, **notes):
    return Network(heard, [first or hidden(), second or last()], readout, **notes)


def test_fills_in_what_was_left_out():
    network = two(hidden(fires="many", threshold=7, leak=2), last(name="digits"))
    assert network.names == ("layer0", "digits")
    assert [layer.synapses[0].source for layer in network.layers] == ["input", "layer0"]
    first = network.layers[0]
    assert isinstance(first.synapses, tuple) and isinstance(network.layers, tuple)
    assert first.fires is Fires.MANY and first.phase is Phase.ONLINE and first.reset is Reset.SUBTRACT
    for name, value in {"threshold": 7, "initial": 0, "leak": 2, "bias": 0, "reset_value": 7}.items():
        array = getattr(first, name)
        assert array.dtype == np.int64 and array.shape == (5,) and (array == value).all(), name
    for array in (first.threshold_schedule, first.reset_schedule, first.synapses[0].kernel):
        assert array.dtype == np.int64 and array.tolist() == [1, 1, 1, 1]
    assert first.synapses[0].weights.dtype == np.int8
    assert network.input.mask.tolist() == [True] * 6 and network.input.used.tolist() == list(range(6))
    assert network.output.leak is None and network.output.reset_value is None


def test_nothing_can_be_written():
    network = two()
    layer, heard = network.output, network.input
    for array in (heard.mask, heard.encoding.table, layer.threshold, layer.initial, layer.reset_schedule,
                  layer.synapses[0].weights, layer.synapses[0].kernel):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_keeps_no_hold_on_what_it_was_given():
    weights, threshold = signs(3, 6), np.full(3, 4)
    network = Network(HEARD, Layer(Dense(weights), 4, threshold=threshold))
    weights[:] = -weights
    threshold[:] = 9
    assert (network.output.synapses[0].weights == -weights).all() and (network.output.threshold == 4).all()


def test_normalising_twice_changes_nothing():
    network = two(hidden(fires=Fires.MANY, leak=1, reset=Reset.TO), last(name="x"))
    again = Network(network.input, [replace(layer) for layer in network.layers], network.readout)
    assert again.digest == network.digest


def test_default_reset_values():
    assert hidden(fires=Fires.MANY, threshold=[1, 2, 3, 4, 5]).reset_value.tolist() == [1, 2, 3, 4, 5]
    assert hidden(fires=Fires.MANY, reset=Reset.TO).reset_value.tolist() == [0] * 5


def test_what_a_source_can_send():
    window_of = {Latency: 4, Direct: 4, Bits: 3, Spikes: 4}
    expected = [
        (Latency([-1, 2, 2, 0]), Fires.ONCE, 4, 1, [True, False, True, False]),
        (Direct(5), Fires.MANY, 5, 4, [True] * 4),
        (Bits(3), Fires.MANY, 8, 1, [True] * 3),
        (Spikes(once=True), Fires.ONCE, None, 1, [True] * 4),
        (Spikes(once=False), Fires.MANY, None, 1, [True] * 4),
    ]
    for encoding, fires, levels, value, steps in expected:
        heard = Input(6, window_of[type(encoding)], encoding)
        assert (heard.fires, heard.levels, heard.highest_value) == (fires, levels, value), encoding
        assert heard.active_steps.tolist() == steps, encoding


def test_helpers_for_sources():
    network = two(hidden(fires="many", name="a"))
    assert network.size_of("input") == 6 and network.size_of("a") == 5
    assert network.window_of("input") == 4 and network.window_of("layer1") == 4
    assert network.fires_of("input") is Fires.ONCE and network.fires_of("a") is Fires.MANY
    assert network.source_of(network.layers[0].synapses[0]) is network.input
    assert network.source_of(network.layers[1].synapses[0]) is network.layer("a")
    assert network.index("layer1") == 1
    with pytest.raises(ValueError, match=r"^name must be one of the network's layers, not 'b'$"):
        network.layer("b")


def test_several_sources():
    skip = Dense(signs(3, 6), kernel=[4, 3, 2, 1], source="input")
    network = two(second=Layer([Dense(signs(3, 5)), skip], 4, threshold=2))
    assert [synapse.source for synapse in network.output.synapses] == ["layer0", "input"]
    assert network.output.synapses[1].kernel.tolist() == [4, 3, 2, 1]


def test_784_600_10_in_few_lines():
    table = np.where(np.arange(256) < 2, -1, (255 - np.arange(256)) // 16)
    network = Network(Input(784, 16, Latency(table)), [
        Layer(Dense(signs(600, 784)), 16, threshold=25),
        Layer(Dense(signs(10, 600)), 16, threshold=12),
    ])
    assert [layer.size for layer in network.layers] == [600, 10]


@pytest.mark.parametrize("name", ["]; endmodule", "module", "größer ∑ 𝄞", "x" * 100, "../../x"])
def test_any_name_is_a_name(name):
    assert two(hidden(name=name)).output.synapses[0].source == name


@pytest.mark.parametrize("name", ["a\nb", "\0", "\x1b[31m", "\x9b1A", "a\u202eb", "\u2028", "\ud800"])
def test_a_name_is_printable(name):
    """What would move a cursor, end a line or turn the direction of writing is no name."""
    with pytest.raises(ValueError, match=r"^name must be made of printable characters, not "):
        hidden(name=name)


class Parameter:
    """As a torch parameter: numpy may not look into it."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy().")


@pytest.mark.parametrize("make, what", [
    (lambda value: Dense(value), "weights"),
    (lambda value: Convolution(value, (1, 3, 3)), "weights"),
    (lambda value: Dense([[1]], scale=value), "scale"),
    (lambda value: Dense([[1]], probability=Probability(value)), "levels of a probability"),
    (lambda value: hidden(threshold=value), "threshold"),
    (lambda value: hidden(threshold_schedule=value), "threshold_schedule"),
    (lambda value: Latency(value), "table"),
    (lambda value: Input(3, 2, Direct(2), value), "mask"),
])
def test_refuses_what_numpy_may_not_look_into(make, what):
    with pytest.raises(TypeError) as refused:
        make(Parameter())
    assert str(refused.value).startswith(f"{what} must be an array of numbers, not a Parameter that numpy "
                                         "makes none of (Can't call numpy() on Tensor that requires grad. ")


@pytest.mark.parametrize("seed", [1.5, float("nan"), float("inf"), "x", None, True, -1, 1 << 32])
def test_refuses_a_seed_that_is_none(seed):
    with pytest.raises((TypeError, ValueError), match=r"^seed must be (a non-negative integer|at most 4294)"):
        Probability(1, seed)


WRONG_LAYERS = [
    ({"threshold": [2, 2, -3, 2, 2]}, "threshold must be a positive integer, not -3 (neuron 2)"),
    ({"threshold": -3, "name": "a"}, "threshold must be a positive integer, not -3 (layer 'a')"),
    ({"threshold": 0}, "threshold must be a positive integer, not 0"),
    ({"threshold": None}, "threshold must be given where a layer fires"),
    ({"threshold": 1 << 41}, "threshold must be at most 1099511627776, not 2199023255552"),
    ({"threshold": [1, 2]}, "threshold must be a number or have the shape (5,), not (2,)"),
    ({"threshold": 1 << 30, "threshold_schedule": 1 << 20},
     "threshold times its schedule must be below 140737488355328, not 1125899906842624"),
    ({"threshold_schedule": [1, 0, 1, 1]}, "threshold_schedule must be a positive integer, not 0 (step 1)"),
    ({"threshold_schedule": [1, 1]}, "threshold_schedule must be a number or have the shape (4,), not (2,)"),
    ({"window": 0}, "window must be a positive integer, not 0"),
    ({"window": 5000}, "window must be at most 4096, not 5000"),
    ({"leak": -1}, "leak must be a non-negative integer, not -1"),
    ({"leak": 32}, "leak must be at most 31, not 32"),
    ({"phase": "windowed", "leak": 3}, "leak must be None where a layer is windowed"),
    ({"phase": "windowed", "bias": 1},
     "bias must be 0 where a layer is windowed, put it into the initial value"),
    ({"phase": "offline"}, "phase must be one of 'online', 'windowed', not 'offline'"),
    ({"fires": "twice"}, "fires must be one of 'once', 'many', 'never', not 'twice'"),
    ({"fires": "never"}, "threshold must be None where a layer never fires, not 2"),
    ({"fires": "never", "threshold": None, "threshold_schedule": 2},
     "threshold_schedule must be 1 where a layer never fires, not [2, 2, 2, 2]"),
    ({"reset_value": 1}, "reset_value must be None where a layer fires once, not 1"),
    ({"reset": "to"}, "reset must be 'subtract' where a layer fires once, not 'to'"),
    ({"reset_schedule": [1, 1, 1, 2]}, "reset_schedule must be 1 where a layer fires once, not [1, 1, 1, 2]"),
    ({"fires": "many", "reset": "to", "reset_schedule": 2},
     "reset_schedule must be 1 where a layer resets to a value, not [2, 2, 2, 2]"),
    ({"fires": "many", "reset_value": -1}, "reset_value must be a non-negative integer, not -1"),
    ({"fires": "many", "reset_schedule": -1}, "reset_schedule must be a non-negative integer, not -1"),
    ({"name": "input"}, "name must not be 'input', which names the network's input (layer 'input')"),
    ({"name": "x" * 101}, "name must have at most 100 characters, not 101"),
    ({"name": "\ud800"}, "name must be made of printable characters, not '\\ud800'"),
    ({"synapses": []}, "synapses must have 1 to 16 entries, not 0"),
    ({"synapses": [Dense(signs(5, 6)), Dense(signs(4, 6))]},
     "weights must be of as many neurons in all synapses, not of [5, 4]"),
]


@pytest.mark.parametrize("fields, sentence", WRONG_LAYERS)
def test_refuses_a_layer(fields, sentence):
    with pytest.raises(ValueError) as refused:
        Layer(**{"synapses": Dense(signs(5, 6)), "window": 4, "threshold": 2, **fields})
    assert str(refused.value) == sentence


@pytest.mark.parametrize("fields, sentence", [
    ({"threshold": 1.5}, "threshold must be made of 64-bit integers, not 1.5"),
    ({"threshold": np.ones(5)}, "threshold must be made of 64-bit integers, not an array of float64"),
    ({"threshold": True}, "threshold must be made of 64-bit integers, not True"),
    ({"initial": 1 << 70}, f"initial must be made of 64-bit integers, not {1 << 70}"),
    ({"window": 4.0}, "window must be a positive integer, not 4.0"),
    ({"window": True}, "window must be a positive integer, not True"),
    ({"name": 7}, "name must be a text, not 7"),
    ({"synapses": [1]}, "synapses must be a Dense or a Convolution, or a sequence of them, not [1]"),
])
def test_refuses_a_type(fields, sentence):
    with pytest.raises(TypeError) as refused:
        Layer(**{"synapses": Dense(signs(5, 6)), "window": 4, "threshold": 2, **fields})
    assert str(refused.value) == sentence


@pytest.mark.parametrize("make, error, sentence", [
    (lambda: Dense(np.ones((2, 3))), TypeError,
     "weights must be integers from -128 to 127, not an array of float64"),
    (lambda: Dense(np.ones((2, 3), bool)), TypeError,
     "weights must be integers from -128 to 127, not an array of bool"),
    (lambda: Dense([[1, -1], [-129, 1]]), ValueError,
     "weights must be an integer from -128 to 127, not -129 (neuron 1, address 0)"),
    (lambda: Dense([[1, 257]]), ValueError,
     "weights must be at most 127, not 257 (neuron 0, address 1)"),
    (lambda: Dense([1, -1]), ValueError,
     "weights must have the shape (neurons, source size), each from 1 to 131072, not (2,)"),
    (lambda: Dense([[1]], source=3), TypeError, "source must be a layer's name or 'input', not 3"),
    (lambda: Latency([1]), ValueError,
     "table must have one entry for each of 2 to 65536 levels, not the shape (1,) (latency encoding)"),
    (lambda: Latency([0, -2]), ValueError,
     "table must be an integer from -1 to 4095, not -2 (latency encoding, level 1)"),
    (lambda: Input(2, 4, Latency([0, 4])), ValueError,
     "table must be at most 3, not 4 (latency encoding, level 1)"),
    (lambda: Direct(1), ValueError, "levels must be an integer from 2 to 65536, not 1 (direct encoding)"),
    (lambda: Bits(17), ValueError, "width must be at most 16, not 17 (bits encoding)"),
    (lambda: Spikes("yes"), TypeError, "once must be True or False, not 'yes' (spikes encoding)"),
    (lambda: Input(4, 3, Bits(4)), ValueError, "window must be 4, one step for each bit, not 3 (input)"),
    (lambda: Input(0, 4, Spikes()), ValueError, "size must be a positive integer, not 0 (input)"),
    (lambda: Input(131073, 4, Spikes()), ValueError, "size must be at most 131072, not 131073 (input)"),
    (lambda: Input(4, 4, "latency"), TypeError,
     "encoding must be a Latency, Direct, Bits or Spikes, not 'latency' (input)"),
    (lambda: Input(2, 4, Spikes(), [1, 0]), TypeError, "mask must be an array of bool, not of int64 (input)"),
    (lambda: Input(2, 4, Spikes(), [True]), ValueError, "mask must have the shape (2,), not (1,) (input)"),
    (lambda: Input(2, 4, Spikes(), [False, False]), ValueError,
     "mask must leave at least one input in (input)"),
])
def test_refuses_a_part(make, error, sentence):
    with pytest.raises(error) as refused:
        make()
    assert str(refused.value) == sentence


@pytest.mark.parametrize("fields, sentence", [
    ({"second": Layer(Dense(signs(3, 6)), 4, threshold=2)},
     "weights must have 5 columns, one for each address of 'layer0', not 6 (layer 1)"),
    ({"second": Layer(Dense(signs(3, 5)), 5, threshold=2)},
     "window must be the 4 steps of 'layer0' where a layer is online, not 5 (layer 1)"),
    ({"second": Layer(Dense(signs(3, 5), kernel=[1, 2]), 4, threshold=2)},
     "kernel must be a number or have the shape (4,), not (2,) (layer 1)"),
    ({"second": Layer(Dense(signs(3, 5), kernel=-1), 4, threshold=2, name="x")},
     "kernel must be a non-negative integer, not -1 (layer 'x')"),
    ({"second": Layer(Dense(signs(3, 5), source="later"), 4, threshold=2)},
     "source must be 'input' or an earlier layer, not 'later' (layer 1)"),
    ({"second": Layer(Dense(signs(3, 5), source="layer1"), 4, threshold=2)},
     "source must be 'input' or an earlier layer, not 'layer1' (layer 1)"),
    ({"second": Layer(Dense(signs(3, 6), source="input"), 4, threshold=2)},
     "every layer but the last must be the source of a later one, which nothing makes of layer 'layer0'"),
    ({"first": hidden(name="layer1")}, "name must be another for each layer, not 'layer1' twice"),
    ({"first": hidden(fires="never", threshold=None)},
     "fires must not be 'never' but in the last layer (layer 'layer0')"),
    ({"second": last(fires="never", threshold=None)},
     "readout must be 'potential' where the last layer never fires, and only there, "
     "not 'first_spike' (layer 'layer1')"),
    ({"readout": "potential"},
     "readout must be 'potential' where the last layer never fires, and only there, "
     "not 'potential' (layer 'layer1')"),
    ({"readout": "loudest"}, "readout must be one of 'first_spike', 'potential', 'count', not 'loudest'"),
    ({"provenance": {1: 2}}, "provenance must be a mapping of texts to JSON values, but a key is no text"),
    ({"provenance": {"a": {1}}},
     "provenance must be a mapping of texts to JSON values, but set is no JSON value"),
    ({"provenance": {"a": "x" * (1 << 20)}}, "provenance must take at most 1048576 bytes, not 1048584"),
    ({"calibration": {"mean_spikes": [1, 2]}},
     "calibration must hold 3 non-negative numbers in 'mean_spikes', one for the input and one a layer, "
     "none above 536870912, not [1,2]"),
    ({"calibration": {"mean_spikes": [1, 2, 10**309]}},
     "calibration must hold 3 non-negative numbers in 'mean_spikes', one for the input and one a layer, "
     "none above 536870912, not [1,2,1000000000000000000000000000000000000000000000000000..."),
])
def test_refuses_a_network(fields, sentence):
    with pytest.raises(ValueError) as refused:
        two(**fields)
    assert str(refused.value) == sentence


def test_refuses_too_much_of_everything(monkeypatch):
    with pytest.raises(ValueError, match=r"^layers must have 1 to 256 entries, not 0$"):
        Network(HEARD, [])
    with pytest.raises(TypeError, match=r"^layers must be a sequence of Layer, not 3$"):
        Network(HEARD, 3)
    with pytest.raises(TypeError, match=r"^input must be an Input, not 3$"):
        Network(3, [hidden()])
    monkeypatch.setattr(Limits, "SYNAPSES", 44)
    with pytest.raises(ValueError, match=r"^a network must have at most 44 synapses, not 45$"):
        two()
    monkeypatch.setattr(Limits, "SYNAPSES", 45)
    two()
    monkeypatch.setattr(Limits, "STEPS", 7)
    with pytest.raises(ValueError, match=r"^the windows must have at most 7 steps together, not 8$"):
        two()
    monkeypatch.setattr(Limits, "STEPS", 8)
    monkeypatch.setattr(Limits, "NEURON_STEPS", 31)
    with pytest.raises(ValueError, match=r"^neurons times steps must be at most 31 in all, not 32$"):
        two()


def test_refuses_a_potential_that_no_width_holds():
    wide = Input(1 << 12, 64, Direct(1 << 16))
    with pytest.raises(ValueError) as refused:
        Network(wide, Layer(Dense(np.ones((1, 1 << 12), int), kernel=1 << 20), 64, threshold=1))
    assert str(refused.value).startswith("a potential must stay below 140737488355328, not reach 0 to ")
    assert str(refused.value).endswith("(layer 'layer0', neuron 0)")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_refuses_notes_that_json_has_no_word_for(value):
    with pytest.raises(ValueError, match=r"^provenance must be a mapping of texts to JSON values, but "):
        two(provenance={"a": [value]})
    with pytest.raises(TypeError, match=r"^calibration must be a mapping of texts to JSON values, not 3$"):
        two(calibration=3)


def test_notes_are_copied_as_plain_values():
    recipe = {"seed": np.int64(3), "accuracy": np.float64(0.5), "list": [1, (2, 3)]}
    network = two(provenance=recipe, calibration={"mean_spikes": [1.5, 2, 0]})
    recipe["list"].append(4)
    assert network.provenance == {"seed": 3, "accuracy": 0.5, "list": [1, [2, 3]]}
    assert network.calibration == {"mean_spikes": [1.5, 2, 0]}
