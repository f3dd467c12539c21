"""What goes into a core's ports is what the network hears, within the laws of a spike stream."""

import numpy as np
from firstspike.network import Phase, batched
from firstspike.rtl.description import InputPort, StreamPort
from firstspike.sim.payloads import field
from firstspike.sim.stimulus import levels, tokens
from harness.strategies import random_images, random_network
from hypothesis import given, settings
from hypothesis import strategies as st

FIELDS = {"kind": (0, 2), "address": (2, 10), "step": (12, 9), "value": (21, 9), "tag": (30, 1)}


def port(network) -> InputPort:
    stream = StreamPort("payload", "valid", "ready", 31, FIELDS, {"SPIKE": 0, "STEP": 1, "WINDOW": 2})
    return InputPort(stream, tuple(network.input.used.tolist()))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_tokens(seed, shuffled):
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    heard = batched.run(network, random_images(rng, network, 4)).input_spikes
    place = port(network)
    stimulus = tokens(network, place, heard, rng if shuffled else None)
    online = any(layer.phase is Phase.ONLINE and synapse.source == "input"
                 for layer in network.layers for synapse in layer.synapses)

    kind, address, step, value, tag = (field(stimulus.payloads, FIELDS[name])
                                       for name in ("kind", "address", "step", "value", "tag"))
    assert (np.flatnonzero(kind == 2) + 1).tolist() == stimulus.ends.tolist() and len(stimulus.ends) == 4
    assert shuffled or not tag.any()
    back, start = np.zeros_like(heard), 0
    for image, end in enumerate(stimulus.ends):
        closed, latest = -1, 0
        for at in range(start, end - 1):
            if kind[at] == 1:
                assert shuffled and online and step[at] > closed and step[at] >= latest
                closed = step[at]
            else:
                assert not online or (step[at] > closed and step[at] >= latest), "a spike of a closed step"
                latest = step[at]
                raw = network.input.used[address[at]]
                assert back[image, step[at], raw] == 0, "a spike twice"
                back[image, step[at], raw] = value[at]
        start = end
    assert (back == heard).all()


def test_the_order_is_drawn():
    network = random_network(np.random.default_rng(3))
    heard = np.ones((3, network.input.window, network.input.size), np.uint8)
    plain, again, drawn, redrawn, other = (
        tokens(network, port(network), heard, rng and np.random.default_rng(rng)).payloads.tolist()
        for rng in (None, None, 1, 1, 2))
    assert plain == again and drawn == redrawn and plain != drawn != other


def test_levels():
    images = np.arange(6).reshape(2, 3)
    stimulus = levels(images, 11)
    assert stimulus.payloads.tolist() == [[level, 0] for level in range(6)]
    assert stimulus.ends.tolist() == [3, 6]
