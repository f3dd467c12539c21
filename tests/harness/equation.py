"""The equation of a network in plain Python integers, one neuron and one spike after the other.

For tests that hold the golden model against it; nothing here uses numpy or the models' own helpers.
"""

from firstspike.network import Convolution, Fires, Network, Phase, Reset

__all__ = ["arriving", "connections", "jenkins", "layer_by_hand"]

MASK = (1 << 32) - 1

Spikes = dict[tuple[int, int], int]
"""The value of each spike by its (step, address)."""


def jenkins(a: int) -> int:
    """Bob Jenkins' integer hash of 32 bits, as he published it."""
    a = ((a + 0x7ED55D16) + (a << 12)) & MASK
    a = ((a ^ 0xC761C23C) ^ (a >> 19)) & MASK
    a = ((a + 0x165667B1) + (a << 5)) & MASK
    a = ((a + 0xD3A2646C) ^ (a << 9)) & MASK
    a = ((a + 0xFD7046C5) + (a << 3)) & MASK
    return ((a ^ 0xB55A4F09) ^ (a >> 16)) & MASK


def connections(synapse, neuron: int):
    """``(address, place of its weight)`` of every synapse of a neuron."""
    if not isinstance(synapse, Convolution):
        return [(address, (neuron, address)) for address in range(synapse.weights.shape[1])]
    _, height, width = synapse.source_shape
    out, each, tall, wide = synapse.weights.shape
    top, _, left, _ = synapse.padding
    _, rows, columns = synapse.output_shape
    o, y, x = neuron // (rows * columns), neuron // columns % rows, neuron % columns
    found = []
    for i in range(each):
        for r in range(tall):
            for s in range(wide):
                row = y * synapse.stride[0] + r * synapse.dilation[0] - top
                column = x * synapse.stride[1] + s * synapse.dilation[1] - left
                if 0 <= row < height and 0 <= column < width:
                    channel = o // (out // synapse.groups) * each + i
                    found.append(((channel * height + row) * width + column, (o, i, r, s)))
    return found


def arriving(synapse, spikes: Spikes, once: bool) -> Spikes:
    """What a group of synapses hears of its source's spikes: after its pool and scale."""
    if (pool := synapse.pool) is not None:
        _, height, width = pool.source_shape
        _, rows, columns = pool.output_shape
        passed: Spikes = {}
        for (step, address), value in sorted(spikes.items()):
            channel, y, x = address // (height * width), address // width % height, address % width
            for row in range(rows):
                for column in range(columns):
                    top = row * pool.stride[0] - pool.padding[0]
                    left = column * pool.stride[1] - pool.padding[2]
                    if not (top <= y < top + pool.size[0] and left <= x < left + pool.size[1]):
                        continue
                    region = (channel * rows + row) * columns + column
                    before = passed.get((step, region), 0)
                    if pool.kind == "sum":
                        passed[step, region] = before + value
                    elif not (once and any((t, region) in passed for t in range(step))):
                        passed[step, region] = max(before, value)
        spikes = passed
    if synapse.scale is not None:
        spikes = {(step, i): value * int(synapse.scale[i]) for (step, i), value in spikes.items()}
    return spikes


def _passes(synapse, place, image: int, layer: int, group: int, address: int, step: int, target: int) -> bool:
    if (probability := synapse.probability) is None:
        return True
    drawn = 0
    for word in (probability.seed, image, layer << 8 | group, step, address):
        drawn = jenkins(drawn ^ word)
    if probability.draw == "synapse":
        drawn = jenkins(drawn ^ target)
    return (drawn ^ drawn >> 11 ^ drawn >> 22) % 256 < int(probability.levels[place])


def layer_by_hand(network: Network, place: int, heard: dict[str, Spikes], image: int = 0):
    """Spikes and final potentials of a layer. ``heard``: the spikes of each source. ``image``: its index."""
    layer = network.layers[place]
    inputs = [arriving(synapse, heard[synapse.source], network.fires_of(synapse.source) is Fires.ONCE)
              for synapse in layer.synapses]
    spikes, finals = {}, []
    for j in range(layer.size):
        adds = {}
        for group, (synapse, arrive) in enumerate(zip(layer.synapses, inputs, strict=True)):
            listens = dict(connections(synapse, j))
            for (t, address), value in arrive.items():
                at = listens.get(address)
                if at is not None and _passes(synapse, at, image, place, group, address, t, j):
                    adds[t] = adds.get(t, 0) + value * int(synapse.weights[at]) * int(synapse.kernel[t])
        potential = int(layer.initial[j])
        fired = False
        if layer.phase is Phase.WINDOWED:
            potential += sum(adds.values())
        for t in range(layer.window):
            if layer.leak is not None:
                potential -= potential // 2 ** int(layer.leak[j])
            potential += int(layer.bias[j])
            if layer.phase is Phase.ONLINE:
                potential += adds.get(t, 0)
            if layer.fires is Fires.NEVER or (layer.fires is Fires.ONCE and fired):
                continue
            if potential >= int(layer.threshold[j]) * int(layer.threshold_schedule[t]):
                spikes[t, j] = 1
                fired = True
                if layer.fires is Fires.MANY and layer.reset is Reset.SUBTRACT:
                    potential -= int(layer.reset_value[j]) * int(layer.reset_schedule[t])
                elif layer.fires is Fires.MANY:
                    potential = int(layer.reset_value[j])
        finals.append(potential)
    return spikes, finals
