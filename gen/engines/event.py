# pyright: reportAttributeAccessIssue=false
"""The event engine: a dense layer as a systolic chain of columns that work spike by spike."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from math import ceil
from typing import Any

import numpy as np

from ...boards.families.fabric import Fabric
from ...network import Convolution, Fires, WeightKind
from ...rtl.description import Tap
from ...rtl.event.forms import FoldedForm, ParallelForm
from ...rtl.event.layer import EventLayer
from ..resources import Resources
from .engine import LayerCircuit, Offer, RomImage
from .job import Job

__all__ = ["EventEngine"]

Form = ParallelForm | FoldedForm

_FOLDS = (4, 8, 16, 32, 64, 128, 256)
_FAST = 100_000_000
"""A fabric that reaches no such clock is slow: small circuits are worth more there than short paths."""
_EMITTED = 18
"""Neurons that share an emitter at most: so many keep its priority encoder two LUTs deep."""


class EventEngine:
    """Dense layers of -1 and +1 with one source. Throughput: a spike every cycle, or every ``folds``."""

    name = "event"

    def refusals(self, job: Job) -> list[str]:
        words = []
        for group in job.layer.synapses:
            if isinstance(group, Convolution):
                words.append("a convolution")
            if group.pool is not None:
                words.append(f"a {group.pool.kind.value} pool")
            if group.weight_kind is WeightKind.TERNARY:
                words.append("ternary weights")
            elif group.weight_kind is WeightKind.INTEGER:
                words.append(f"integer weights of {group.weight_bits} bits")
            if group.scale is not None:
                words.append("scaled inputs")
            if group.probability is not None:
                words.append("synapses with a probability")
        if len(job.layer.synapses) > 1:
            words.append(f"{len(job.layer.synapses)} sources")
        return list(dict.fromkeys(words))

    def offers(self, job: Job, fabric: Fabric) -> Iterator[Offer]:
        neurons = job.layer.size
        yield self._offer(job, fabric, _parallel(job, fabric))
        for folds in _FOLDS:
            if folds > 4 and ceil(neurons / folds) * folds >= 2 * neurons:
                break
            yield self._offer(job, fabric, _folded(job, fabric, folds))

    def form(self, data: Mapping[str, Any]) -> Form:
        kind = FoldedForm if "folds" in data else ParallelForm
        if set(data) != {one.name for one in fields(kind)}:
            raise ValueError(f"a form of the {self.name} engine has other fields than {', '.join(data)}")
        return kind(**data)

    def circuit(self, job: Job, form: Form) -> LayerCircuit:
        source, group, lanes = job.sources[0], job.layer.synapses[0], job.lanes
        layer = EventLayer(
            source.token, job.token, lanes.neurons, (group.weights.T > 0)[source.used], group.kernel,
            form=form, online=job.online, every_step=lanes.every_step, fires_at_start=lanes.fires_at_start,
            ordered=job.ordered)
        taps, roms, signals = [], [], {"ended": layer.ended}
        for place, column in enumerate(layer.columns):
            path, count, folds = f"column_{place}", len(column.weights[0]), _folds(form)
            rows = (_row(column.base, count, folds, fold, column.lanes) for fold in range(min(folds, count)))
            taps.append(Tap("ended", place, f"{path}.final", lanes.neurons.width,
                            f"{path}.final_fold" if folds > 1 else None, tuple(rows)))
            signals[f"{path}.final"] = column.final
            if folds > 1:
                signals[f"{path}.final_fold"] = column.final_fold
            roms.append(RomImage(path, column.synapses.width, column.synapses.rows, {
                "folds": folds, "first": column.base, "neurons": count,
                "word": "address * folds + fold",
                "bit": "bit LANE is 1 where the weight to neuron first + LANE * folds + fold is +1"}))
        return LayerCircuit(layer, tuple(taps), signals, tuple(roms))

    def _offer(self, job: Job, fabric: Fabric, form: Form) -> Offer:
        folds, neurons, inputs = _folds(form), job.layer.size, len(job.sources[0].used)
        return Offer(
            self.name, form, _resources(job, fabric, form), _cycles(job, form), _latency(job, form),
            f"{folds} neurons on an adder", {
                "lanes": ceil(neurons / folds), "folds": folds, "columns": ceil(neurons / form.per_column),
                "potential_bits": job.lanes.neurons.width, "weight_bits": inputs * neurons})


def _folds(form: Form) -> int:
    return form.folds if isinstance(form, FoldedForm) else 1


def _row(first: int, count: int, folds: int, fold: int, lanes: int) -> tuple[tuple[int, int, int], ...]:
    """The neurons that a column of ``lanes`` shows in a fold, as runs."""
    there = len(range(fold, count, folds))
    absent = ((-1, 0, lanes - there),) if there < lanes else ()
    return ((first + fold, folds, there), *absent)


def _parallel(job: Job, fabric: Fabric) -> ParallelForm:
    """The form that suits a fabric: small where its clock is slow, with short paths where it is fast.

    A column is some block RAMs wide, so that an operation goes through few columns, and yet no wire is long.
    """
    lanes, rows = job.layer.size, len(job.sources[0].used)
    word = fabric.best_width(rows, lanes)
    widest = max((bits for _, bits in fabric.block_rams), default=36)
    slow = not fabric.reaches(_FAST)
    if slow:
        registers = 1 if fabric.initial_ones else 0
    else:
        registers = 3 if fabric.block_ram_registers else 2
    return ParallelForm(
        per_column=min(lanes, word * (4 if widest > 16 else 8)), group=min(word, _EMITTED), queue=not slow,
        scan=slow, fetch_registers=registers, zero_init=not fabric.initial_ones,
        carry=4 if fabric.carry_cells else 1)


def _folded(job: Job, fabric: Fabric, folds: int) -> FoldedForm:
    """One word of block RAM a column, or all lanes where they are few."""
    lanes, rows = ceil(job.layer.size / folds), len(job.sources[0].used)
    word = lanes if lanes <= _EMITTED else fabric.best_width(rows * folds, lanes)
    return FoldedForm(per_column=min(lanes, word) * folds, folds=folds)


def _adds_one(job: Job) -> bool:
    """Whether every spike adds or takes away 1, so that no operand is chosen."""
    return job.sources[0].highest == 1 and bool(np.all(job.layer.synapses[0].kernel == 1))


_CONTROL_LUTS, _CONTROL_FFS = 110, 110
"""Of a column's entry, outbox and drain."""
_HEAD_LUTS, _HEAD_FFS = 60, 40
"""Of a layer's sequencer."""
_EMITTER_LUTS, _SCANNER_LUTS = 7, 3
"""Of a lane's share in its emitter, by skipping and by scanning."""
_ROM_SPILL = 1.1
"""LUTs of a ROM in logic, over those that hold its bits."""


def _resources(job: Job, fabric: Fabric, form: Form) -> Resources:
    """What a layer takes; its constants were measured on ECP5, ``bench.estimates`` tells the error."""
    neurons, inputs, folds = job.lanes.neurons, len(job.sources[0].used), _folds(form)
    count, width, read, plain = job.layer.size, neurons.width, job.is_read, _adds_one(job)
    columns, lanes, rows = ceil(count / form.per_column), ceil(count / folds), inputs * folds
    per_column = ceil(form.per_column / folds)
    blocks = columns * fabric.memory_blocks(rows, min(per_column, lanes))
    logic = 0 if blocks else rows * lanes / 2 ** fabric.lut_inputs * _ROM_SPILL
    adder = width * (1 if plain and not neurons.moves else 2) + (width if neurons.reset_to else 0)
    adder += width if neurons.leaks else 0
    compare = width if any(map(any, neurons.threshold)) else 0
    parallel = isinstance(form, ParallelForm)
    slow = form.scan if parallel else not fabric.reaches(_FAST)
    counts = parallel and plain and not neurons.moves and not neurons.leaks
    shared = (form.carry if parallel else 1) if counts else 1
    lane = adder + compare + fabric.carry_cells / shared + (_SCANNER_LUTS if slow else _EMITTER_LUTS)
    lane += 2 * width if read else 0
    luts = lanes * lane + columns * _CONTROL_LUTS + _HEAD_LUTS + logic
    fetched = form.fetch_registers if parallel else 1
    fetched -= bool(blocks and fabric.block_ram_registers and fetched)
    ffs = lanes * (width + 3 + fetched + (width if read else 0)) + columns * _CONTROL_FFS + _HEAD_FFS
    if parallel and form.queue and not read:
        luts += lanes + columns * 40
        ffs += lanes + columns * 20
    if not parallel:
        tables = 2 if neurons.moves else 1
        luts += lanes * width * 2 + count * width * tables / 2 ** fabric.lut_inputs
        ffs += lanes * width * (1 + tables)
        if fabric.lut_ram:
            luts += lanes * width * 2 * ceil(folds / 16)
        elif fabric.block_rams:
            blocks += columns * ceil(min(per_column, lanes) * (width + 1) / fabric.block_rams[0][1])
    return Resources(ceil(luts), ceil(ffs), blocks)


def _cycles(job: Job, form: Form) -> float:
    """Cycles that a layer is busy for one window: with what it hears, and with what it fires.

    Online, the two overlap; windowed, the one follows the other.
    """
    folds, lanes = _folds(form), job.lanes
    steps = job.layer.window if job.layer.fires is not Fires.NEVER else 0
    rounds = steps if lanes.every_step else 1 if not job.online else min(steps, max(job.heard, 1))
    listening = job.heard * folds
    firing = rounds * max(folds * (1 if folds == 1 else 1.5), 6) + job.fired
    if job.online:
        ends = 1 if folds == 1 and not lanes.every_step and not lanes.neurons.moves else rounds * folds
        return max(listening + ends, job.fired + rounds) + 12
    return listening + firing + 12


def _latency(job: Job, form: Form) -> float:
    """Cycles from the end of what a layer hears to the end of what it says."""
    columns, folds = ceil(job.layer.size / form.per_column), _folds(form)
    if job.online:
        return columns + 6 + folds
    steps = job.layer.window if job.layer.fires is not Fires.NEVER else 1
    return columns + 6 + steps * folds + job.fired
