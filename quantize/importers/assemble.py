"""Layers out of parts: weights, pooling and scaling go to the neurons that they feed."""

from collections import UserDict
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from ...network import Fires, Input, Pool, Readout
from ...network.checks import choice
from .parts import Chart, Flat, Gain, Geometry, Integrator, Neuron, Pooling, Refusals, Shape, Weights, spread
from .reals import Group, RealLayer, RealNetwork

__all__ = ["assemble"]


@dataclass(frozen=True, eq=False)
class Term:
    """A share of a signal that comes from one source: ``factor * (weights * pool(source))``."""

    source: str
    shape: Shape
    """Of what it gives."""
    factor: float = 1.0
    weights: np.ndarray | None = None
    heard_shape: Shape = ()
    geometry: Geometry | None = None
    pool: Pool | None = None

    def group(self) -> Group:
        """The synapses that it is; one for one where there are no weights."""
        if self.weights is not None:
            return Group(self.source, self.factor * self.weights, self.heard_shape, self.geometry, self.pool)
        planes = self.shape if len(self.shape) == 3 else (*self.shape, 1, 1)
        ones = np.full((planes[0], 1, 1, 1), self.factor)
        alone = Geometry((1, 1), (0, 0, 0, 0), (1, 1), planes[0])
        return Group(self.source, ones, planes, alone, self.pool)


@dataclass(frozen=True, eq=False)
class Signal:
    """What passes from part to part: terms that add up, and ``shift``, one a value, added in every step."""

    shape: Shape
    terms: tuple[Term, ...]
    shift: np.ndarray | None = None

    @property
    def plain(self) -> Term | None:
        """Its one term, where it is a source as it came: no weights, no pool, nothing added."""
        if len(self.terms) == 1 and self.shift is None and self.terms[0].weights is None \
                and self.terms[0].pool is None:
            return self.terms[0]
        return None


class _Signals(UserDict[str, Signal | None]):
    """The signal behind each part; None behind one that was refused, of which nothing can be said."""


def assemble(chart: Chart, heard: Input, readout: Readout | str | None = None,
             level: float = 1.0) -> RealNetwork:
    """The layers that ``chart`` states, for the input ``heard``.

    Parameters
    ----------
    readout: how the last layer is read; None: "count" where it fires, else "potential". A last part that is
        no neuron is added up over the window and read by potential.
    level: what a level of 1 of the input is worth to the network, above 0.

    Raises
    ------
    ValueError: something cannot be taken; every such part is named.
    """
    if not 0 < level < np.inf:
        raise ValueError(f"level must be a number above 0, not {level}")
    refusals = Refusals()
    if prod(chart.input_shape) != heard.size:
        raise ValueError(f"input must have {prod(chart.input_shape)} addresses, as the network takes, "
                         f"not {heard.size}")
    signals = _Signals({"input": Signal(chart.input_shape, (Term("input", chart.input_shape, level),))})
    layers: list[RealLayer] = []
    mask = heard.mask
    for name, part in chart.parts.items():
        try:
            signal = _sum([signals[source] for source in chart.sources[name]])
            if signal is None:
                signals[name] = None
                continue
            match part:
                case Neuron() | Integrator():
                    if isinstance(part, Integrator) and name != chart.last:
                        raise ValueError("it gives a potential, not spikes, which only what is read may do; "
                                         "let it be the last")
                    layers.append(_layer(name, chart.place(name), part, signal))
                    value = part.value if isinstance(part, Neuron) else 1.0
                    signals[name] = Signal(signal.shape, (Term(name, signal.shape, value),))
                case Gain() if signal.plain and signal.plain.source == "input" and _is_mask(part, signal):
                    mask = mask & (spread(part.factor, signal.shape, "factor") != 0)
                    signals[name] = signal
                case Weights():
                    signals[name] = _weigh(part, signal)
                case Gain():
                    signals[name] = _gain(part, signal)
                case Pooling():
                    signals[name] = _pool(part, signal, heard)
                case Flat():
                    signals[name] = _flat(signal)
        except ValueError as error:
            refusals.add(chart.place(name), str(error))
            signals[name] = None
    last = signals.get(chart.last)
    if not refusals.clauses and last is not None and (not layers or chart.last != layers[-1].name):
        layers.append(_layer("output", chart.place(chart.last), Integrator(), last))
    refusals.raise_any()
    if not layers or last is None:
        raise ValueError("the network has no layer of neurons; give one with IF or LIF neurons")
    never = layers[-1].threshold is None
    usual = Readout.POTENTIAL if never else Readout.COUNT
    chosen = usual if readout is None else choice(readout, Readout, "readout")
    if never != (chosen is Readout.POTENTIAL):
        wanted = "'potential'" if never else "'count' or 'first_spike'"
        raise ValueError(f"readout must be {wanted} where the last part is {chart.place(chart.last)}, "
                         f"not {chosen.value!r}")
    return RealNetwork(replace(heard, mask=mask), tuple(layers), chosen)


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


def _weigh(part: Weights, signal: Signal) -> Signal:
    if not (np.isfinite(part.weight).all() and np.isfinite(part.bias).all()):
        raise ValueError("its weights must be finite numbers; train it again")
    if signal.shift is not None or any(term.weights is not None for term in signal.terms):
        raise ValueError("no neuron stands between it and the weights before it; put one there, "
                         "or multiply the two into one")
    if part.geometry is None:
        if part.weight.shape[1] != prod(signal.shape):
            raise ValueError(f"it takes {part.weight.shape[1]} features, and what comes is of the shape "
                             f"{signal.shape}; check the shape of the input")
        shape, heard = (len(part.weight),), (part.weight.shape[1],)
    else:
        channels = part.weight.shape[1] * part.geometry.groups
        if len(signal.shape) != 3 or signal.shape[0] != channels:
            raise ValueError(f"it takes {channels} channels of pixels, and what comes is of the shape "
                             f"{signal.shape}; check the shape of the input")
        try:
            group = Group("", part.weight, signal.shape, part.geometry)
            shape = (len(part.weight), *group.sliding.positions)
        except ValueError as error:
            raise ValueError(f"{error}; check the shape of the input") from None
        if min(shape) < 1:
            raise ValueError(f"its kernel is larger than what comes, {signal.shape}; "
                             "check the shape of the input")
        heard = signal.shape
    terms = tuple(replace(term, shape=shape, weights=part.weight, heard_shape=heard, geometry=part.geometry)
                  for term in signal.terms)
    shift = spread(part.bias, shape, "bias") if np.any(part.bias) else None
    return Signal(shape, terms, shift)


def _gain(part: Gain, signal: Signal) -> Signal:
    factor = np.asarray(part.factor, np.float64)
    shift = spread(part.shift, signal.shape, "shift") if np.any(part.shift) else None
    if signal.shift is not None:
        shift = signal.shift * spread(factor, signal.shape, "factor") + (0 if shift is None else shift)
    terms = []
    for term in signal.terms:
        if factor.size == 1 or (factor == factor.flat[0]).all():
            terms.append(replace(term, factor=term.factor * float(factor.flat[0])))
        elif term.weights is not None and factor.size == len(term.weights):
            each = factor.reshape(-1, *[1] * (term.weights.ndim - 1))
            terms.append(replace(term, weights=each * term.weights))
        elif term.weights is not None and term.geometry is None and factor.size == prod(term.shape):
            terms.append(replace(term, weights=factor.reshape(-1, 1) * term.weights))
        else:
            raise ValueError("it scales each value by a number of its own where no weights stand before it; "
                             "put it behind weights, or scale by one number")
    return Signal(signal.shape, tuple(terms), shift)


def _pool(part: Pooling, signal: Signal, heard: Input) -> Signal:
    if signal.shift is not None or any(term.weights is not None or term.pool is not None
                                       for term in signal.terms):
        raise ValueError("it pools something else than spikes; put it right behind neurons or the input")
    if len(signal.shape) != 3:
        raise ValueError(f"it takes channels of pixels, and what comes is of the shape {signal.shape}; "
                         "put it before what flattens")
    sources = {term.source for term in signal.terms}
    if part.maximum and (len(signal.terms) > 1 or any(term.factor < 0 for term in signal.terms)):
        raise ValueError("it takes the maximum of several sources, or of negative values; "
                         "let it pool one source")
    if part.maximum and "input" in sources and heard.fires is Fires.ONCE:
        raise ValueError("it takes the maximum of inputs that spike once, of which only the first would "
                         "pass; declare the input's spikes as Spikes(once=False), or use sum pooling")
    try:
        pool = Pool("max" if part.maximum else "sum", part.size, part.stride, part.padding, signal.shape)
    except ValueError as error:
        raise ValueError(f"{error}; check the shape of the input") from None
    terms = tuple(replace(term, shape=pool.output_shape, pool=pool, factor=term.factor / part.divisor)
                  for term in signal.terms)
    return Signal(pool.output_shape, terms)


def _flat(signal: Signal) -> Signal:
    return replace(signal, shape=(prod(signal.shape),),
                   terms=tuple(replace(term, shape=(prod(signal.shape),)) for term in signal.terms))


def _layer(name: str, place: str, part: Neuron | Integrator, signal: Signal) -> RealLayer:
    shape, size = signal.shape, prod(signal.shape)
    gain = spread(part.gain, shape, "input gain")
    groups = tuple(_scaled(term.group(), gain, shape) for term in signal.terms)
    bias = (np.zeros(size) if signal.shift is None else signal.shift) * gain
    decay = spread(part.decay, shape, "decay")
    initial = spread(part.initial, shape, "initial potential")
    if isinstance(part, Integrator):
        return RealLayer(name, place, shape, groups, bias, initial, decay=decay)
    return RealLayer(
        name, place, shape, groups, bias, initial, spread(part.threshold, shape, "threshold"), part.strict,
        part.subtract, spread(part.reset_value, shape, "reset"), decay, part.again)


def _scaled(group: Group, gain: np.ndarray, shape: Shape) -> Group:
    """``group`` with the neurons' own gains in its weights."""
    if (gain == 1).all():
        return group
    each = gain if group.geometry is None else gain.reshape(len(group.weights), -1)
    if group.geometry is not None:
        if (each != each[:, :1]).any():
            raise ValueError("its input gain must be one for each channel where the weights are shared")
        each = each[:, 0]
    return replace(group, weights=each.reshape(-1, *[1] * (group.weights.ndim - 1)) * group.weights)
