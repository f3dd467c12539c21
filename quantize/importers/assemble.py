"""Layers out of a graph: weights, pooling and scaling go to the neurons that they feed."""

from dataclasses import dataclass, replace
from math import prod

import numpy as np

from ...network import Fires, Input, Pool, Readout
from ...network.checks import choice
from ..checks import positive_number
from ..graph.graph import INPUT, Graph, Node
from ..graph.neurons import Integrator, Neuron
from ..graph.operations import Activation, Affine, Flat, Gain, Geometry, Pooling, Shape, Sum, spread
from ..graph.refusals import Refusals
from .real_network import Group, RealLayer, RealNetwork

__all__ = ["assemble"]


@dataclass(frozen=True, eq=False)
class Term:
    """A share of a signal that comes from one source: ``factor * (weights * pool(source))``.

    Attributes
    ----------
    source : str
        "input", or the name of a layer.
    source_shape : tuple of int
        Of what that gives.
    factor : float
        What all is multiplied with.
    weights, heard_shape, geometry, pool
        As of a :class:`.real_network.Group`; no weights: one for one.
    multiple : int or None
        What the weights are multiples of, where that is known.
    """

    source: str
    source_shape: Shape
    factor: float = 1.0
    weights: np.ndarray | None = None
    heard_shape: Shape = ()
    geometry: Geometry | None = None
    pool: Pool | None = None
    multiple: int | None = None

    @property
    def plain(self) -> bool:
        """Whether it is its source as it came, but for the factor."""
        pool = self.pool
        alone = pool is None or (pool.size == pool.stride == (1, 1) and not any(pool.padding))
        return self.weights is None and alone

    def group(self) -> Group:
        """The synapses that it is; one for one where there are no weights."""
        if self.weights is not None:
            return Group(self.source, self.factor * self.weights, self.heard_shape, self.geometry, self.pool,
                         self.multiple if self.factor == 1 else None)
        shape = self.source_shape if self.pool is None else self.pool.output_shape
        planes = shape if len(shape) == 3 else (prod(shape), 1, 1)
        ones = np.full((planes[0], 1, 1, 1), self.factor)
        return Group(self.source, ones, planes, Geometry((1, 1), groups=planes[0]), self.pool)


@dataclass(frozen=True, eq=False)
class Signal:
    """What passes from node to node.

    Attributes
    ----------
    shape : tuple of int
        Of its values.
    terms : tuple of Term
        What adds up to it.
    shift : numpy.ndarray or None
        What is added in every step, one a value.
    """

    shape: Shape
    terms: tuple[Term, ...]
    shift: np.ndarray | None = None

    @property
    def plain(self) -> Term | None:
        """Its one term, where it is a source as it came, but for a factor."""
        return self.terms[0] if len(self.terms) == 1 and self.shift is None and self.terms[0].plain else None


def assemble(graph: Graph, heard: Input, readout: Readout | str | None = None,
             level: float = 1.0) -> RealNetwork:
    """The layers that a graph states.

    Parameters
    ----------
    graph : Graph
        The network.
    heard : Input
        What it listens to.
    readout : Readout or str or None
        How the last layer is read; None: "count" where it fires, else "potential". What is read and is no
        neuron is added up over the window and read by potential.
    level : float
        What a level of 1 of the input is worth to the network, above 0.

    Raises
    ------
    ValueError
        Something cannot be taken; every such node is named.
    """
    level = positive_number(level, "level")
    if prod(graph.input_shape) != heard.size:
        raise ValueError(f"input must have {prod(graph.input_shape)} addresses, as the network takes, "
                         f"not {heard.size}")
    layers = _Layers(graph, heard, level)
    refusals = Refusals()
    for number, node in enumerate(graph.nodes):
        try:
            layers.take(number, node)
        except ValueError as error:
            refusals.add(node.place, str(error))
            layers.signals[number] = None
    refusals.raise_any()
    return layers.network(readout)


class _Layers:
    """The layers so far, and the signal behind each node: None behind one that was refused."""

    def __init__(self, graph: Graph, heard: Input, level: float):
        self.graph, self.heard, self.mask = graph, heard, heard.mask
        self.names = graph.labels()
        start = Signal(graph.input_shape, (Term("input", graph.input_shape, level),))
        self.signals: dict[int, Signal | None] = {INPUT: start}
        self.layers: list[RealLayer] = []

    def take(self, number: int, node: Node) -> None:
        """Go through one node. Raises ValueError."""
        signal = _sum([self.signals[source] for source in node.sources])
        if signal is not None:
            signal = self._behind(number, node, signal)
        self.signals[number] = signal

    def _behind(self, number: int, node: Node, signal: Signal) -> Signal:
        match node.operation:
            case Neuron() | Integrator() as part:
                if isinstance(part, Integrator) and number != self.graph.output:
                    raise ValueError("it gives a potential, not spikes, which only what is read may do; let "
                                     "it be the last")
                self.layers.append(_layer(self.names[number], str(node.place), part, signal))
                value = part.value if isinstance(part, Neuron) else 1.0
                return Signal(signal.shape, (Term(self.names[number], signal.shape, value),))
            case Gain() as part if signal.plain and signal.plain.source == "input" \
                    and _is_mask(part, signal):
                self.mask = self.mask & (spread(part.factor, signal.shape, "factor") != 0)
                return signal
            case Affine() as part:
                return _weigh(part, node.shape, signal)
            case Gain() as part:
                return _gain(part, signal)
            case Pooling() as part:
                return _pool(part, signal, self.heard)
            case Flat():
                return replace(signal, shape=node.shape)
            case Sum():
                return signal
            case Activation():
                raise ValueError("it is no spiking neuron; convert the network")

    def network(self, readout: Readout | str | None) -> RealNetwork:
        """The whole, how it is read chosen. Raises ValueError."""
        graph, layers = self.graph, self.layers
        place = "the input" if graph.output == INPUT else str(graph.nodes[graph.output].place)
        last = self.signals[graph.output]
        plain = None if last is None else last.plain
        neurons = layers[-1].name if layers else None
        if last is not None and graph.output != INPUT and not (
                plain is not None and plain.source == neurons and plain.factor > 0):
            names = ("output", *(f"output_{number}" for number in range(len(self.names))))
            free = next(name for name in names if name not in self.names)
            layers.append(_layer(free, place, Integrator(), last))
        if not layers:
            raise ValueError("the network has no layer of neurons; give one with IF or LIF neurons")
        never = layers[-1].threshold is None
        usual = Readout.POTENTIAL if never else Readout.COUNT
        chosen = usual if readout is None else choice(readout, Readout, "readout")
        if never != (chosen is Readout.POTENTIAL):
            wanted = "'potential'" if never else "'count' or 'first_spike'"
            raise ValueError(f"readout must be {wanted} where the last part is {layers[-1].place}, "
                             f"not {chosen.value!r}")
        return RealNetwork(replace(self.heard, mask=self.mask), tuple(layers), chosen)


def _is_mask(part: Gain, signal: Signal) -> bool:
    factor = spread(part.factor, signal.shape, "factor")
    return bool(np.isin(factor, (0.0, 1.0)).all() and not np.any(part.shift) and (factor == 0).any())


def _sum(signals: list[Signal | None]) -> Signal | None:
    known = [signal for signal in signals if signal is not None]
    if len(known) < len(signals) or not known:
        return None
    shapes = {signal.shape for signal in known}
    if len(shapes) > 1:
        raise ValueError(f"what comes has the shapes {' and '.join(map(str, sorted(shapes)))}; "
                         "give sources of one shape")
    shifts = [signal.shift for signal in known if signal.shift is not None]
    return Signal(known[0].shape, tuple(term for signal in known for term in signal.terms),
                  sum(shifts[1:], shifts[0]) if shifts else None)


def _weigh(part: Affine, shape: Shape, signal: Signal) -> Signal:
    if not (np.isfinite(part.weight).all() and np.isfinite(part.bias).all()):
        raise ValueError("its weights must be finite numbers; train it again")
    if signal.shift is not None or any(term.weights is not None for term in signal.terms):
        raise ValueError("no neuron stands between it and the weights before it; put one there, "
                         "or multiply the two into one")
    terms = tuple(replace(term, weights=part.weight, heard_shape=signal.shape, geometry=part.geometry,
                          multiple=part.factor) for term in signal.terms)
    shift = None
    if np.any(part.bias):
        shift = spread(part.bias.reshape(-1, *[1] * (len(shape) - 1)), shape, "bias")
    return Signal(shape, terms, shift)


def _gain(part: Gain, signal: Signal) -> Signal:
    factor = spread(part.factor, signal.shape, "factor")
    shift = spread(part.shift, signal.shape, "shift") if np.any(part.shift) else None
    if signal.shift is not None:
        shift = signal.shift * factor + (0 if shift is None else shift)
    terms = []
    for term in signal.terms:
        if (factor == factor[0]).all():
            terms.append(replace(term, factor=term.factor * float(factor[0])))
            continue
        each = None if term.weights is None else factor.reshape(len(term.weights), -1)
        if each is None or (each != each[:, :1]).any():
            raise ValueError("it scales each value by a number of its own where no weights stand before it; "
                             "put it behind weights, or scale by one number")
        assert term.weights is not None
        rows = each[:, 0].reshape(-1, *[1] * (term.weights.ndim - 1))
        terms.append(replace(term, weights=rows * term.weights, multiple=None))
    return Signal(signal.shape, tuple(terms), shift)


def _pool(part: Pooling, signal: Signal, heard: Input) -> Signal:
    lie = part.geometry
    if signal.shift is not None or not all(term.plain for term in signal.terms):
        raise ValueError("it pools something else than spikes; put it right behind neurons or the input")
    sources = {term.source for term in signal.terms}
    if part.maximum and (len(signal.terms) > 1 or any(term.factor < 0 for term in signal.terms)):
        raise ValueError("it takes the maximum of several sources, or of negative values; "
                         "let it pool one source")
    if part.maximum and "input" in sources and heard.fires is Fires.ONCE:
        raise ValueError("it takes the maximum of inputs that spike once, of which only the first would "
                         "pass; declare the input's spikes as Spikes(once=False), or use sum pooling")
    pool = Pool("max" if part.maximum else "sum", part.size, lie.stride, lie.padding, signal.shape)
    terms = tuple(replace(term, pool=pool, factor=term.factor / part.divisor) for term in signal.terms)
    return Signal(pool.output_shape, terms)


def _layer(name: str, place: str, part: Neuron | Integrator, signal: Signal) -> RealLayer:
    shape, size = signal.shape, prod(signal.shape)
    gain = spread(part.gain, shape, "input gain")
    groups = tuple(_scaled(term.group(), gain) for term in signal.terms)
    bias = (np.zeros(size) if signal.shift is None else signal.shift) * gain
    decay = spread(part.decay, shape, "decay")
    initial = spread(part.initial, shape, "initial potential")
    if isinstance(part, Integrator):
        return RealLayer(name, place, shape, groups, bias, initial, decay)
    return RealLayer(
        name, place, shape, groups, bias, initial, decay, spread(part.threshold, shape, "threshold"),
        part.strict, part.subtract, spread(part.reset_value, shape, "reset"), part.again)


def _scaled(group: Group, gain: np.ndarray) -> Group:
    """``group`` with the neurons' own gains in its weights. Raises ValueError."""
    if (gain == 1).all():
        return group
    each = gain.reshape(len(group.weights), -1)
    if (each != each[:, :1]).any():
        raise ValueError("its input gain must be one for each channel where the weights are shared")
    rows = each[:, 0].reshape(-1, *[1] * (group.weights.ndim - 1))
    return replace(group, weights=rows * group.weights, factor=None)
