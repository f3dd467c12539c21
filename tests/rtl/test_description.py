# amaranth: UnusedElaboratable=no
"""The description of a core comes back from its JSON, and nothing else does."""

import copy
import json

import pytest
from firstspike.rtl.description import CoreDescription
from harness.naive_core import NaiveCore, small_network


@pytest.fixture(scope="module")
def told():
    return NaiveCore(small_network()).describe()


def test_it_comes_back(told):
    assert CoreDescription.from_json(json.loads(json.dumps(told.to_json()))) == told


def test_every_neuron_has_a_place(told):
    for layer in told.layers:
        shown = [neuron for tap in layer.taps for row in range(len(tap.neurons)) for neuron in tap.row(row)]
        assert sorted(neuron for neuron in shown if neuron >= 0) == list(range(layer.neurons))


def test_the_signals_of_a_bench_are_there_once(told):
    names = told.signals()
    assert {"clk", "rst", "spikes__payload", "levels__ready", "result__valid", "layer_0.ended"} <= set(names)


@pytest.mark.parametrize(("path", "value", "sentence"), [
    (["format"], 1, "format must be 2, not 1"),
    (["top"], "top; endmodule", "top must be a name in the design, not 'top; endmodule'"),
    (["clock"], None, "clock must be a name in the design, not None"),
    (["result", "width"], 0, "result.width must be an integer from 1 to 1048576, not 0"),
    (["result", "fields", "label"], [40, 99], "result.fields.label must be an integer from 0 to"),
    (["layers", 0, "taps", 0, "neurons"], [], "layers[0].taps[0].neurons must have rows, all of the same"),
    (["layers", 0, "taps"], [], "layers[0].taps must show each of 9 neurons once"),
    (["layers", 0, "offset"], [1], "layers[0].offset must be 9 integers"),
    (["layers", 1, "phase"], "later", "layers[1] must have a name and a phase"),
    (["layers", 1, "spikes", "kinds"], 3, "layers[1].spikes.fields and layers[1].spikes.kinds must be"),
    (["levels"], {"stream": 1}, "levels must have the fields stream, count; 'count' is amiss"),
    (["more"], 1, "top must have the fields"),
])
def test_what_is_no_description_is_refused_by_its_field(told, path, value, sentence):
    data = json.loads(json.dumps(told.to_json()))
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = copy.deepcopy(value)
    with pytest.raises(ValueError) as caught:
        CoreDescription.from_json(data)
    assert str(caught.value).startswith(sentence)
