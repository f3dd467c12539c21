"""What an event layer takes of a device, before it is built.

A sum of parts: each constant is what synthesis found for a part alone, where lookup tables have 4 inputs, by
the name that it has among the entries of ``bench/results/estimates.json`` (``python -m bench.estimates``).
"""

from math import ceil

import numpy as np

from ...boards.families.fabric import Fabric
from ...rtl.event.forms import FoldedForm, ParallelForm
from ...rtl.event.neuron import Neurons
from ..resources import Resources
from .job import Job

__all__ = ["layer_resources"]

_CONTROL_LUTS, _CONTROL_FFS = 110, 110
"""Of a column's entry, outbox and drain, with its operation on its way to the lanes: "column's entry", "drain
of the second column", and what is left of "outbox of 16 neurons" without its emitters."""
_FOLDED_LUTS, _FOLDED_FFS = 110, 135
"""The same of a folded column, which has a queue in place of the outbox: what is left of "online, layer 0, 64
neurons on an adder" without its one lane."""
_HEAD_LUTS, _HEAD_FFS = 30, 15
"""Of a layer's sequencer: "sequencer, online" and "sequencer, windowed"."""
_EMITTER_LUTS, _SCANNER_LUTS = 4.6, 3
"""Of a lane's share in its emitter, by skipping and by scanning: 48 neurons less 16, "outbox of"."""
_EMITTER_FFS = 1.5
"""The same of flip-flops."""
_QUEUE_LUTS, _QUEUE_LANE_LUTS, _QUEUE_FFS = 30, 1.6, 17
"""Of a column's queue, and of a lane in it, which has a flip-flop as well: "outbox of ..., with a queue"."""
_SENT_LUTS, _SENT_FFS = 3, 3
"""Of a bit of the potentials that a column of a layer that is read passes on, in its outbox and drain."""
_HELD_LUTS = 0.3
"""Of a bit of a potential that is sent: 10 neurons less 5, "outbox of ... with potentials of 8 bits"."""
_ROM_LUTS = 1.1
"""LUTs of a ROM in logic, over those that hold its bits: "ROM of 64 words of 15 bits"."""
_WAITING = 4
"""Folds' worth of spikes that wait in a folded column."""
_BLOCK_BITS = 100
"""Bits that a block RAM must hold to be taken where there is no RAM of lookup tables: potentials become
flip-flops in all layers of "4 neurons on an adder", and in no layer of more."""
_WIDE = 0.65
"""LUTs of 6 inputs, over those of 4, for all but adders: on the arty-a7-100 beside the ulx3s-85f."""
_RAM_LUTS = 1.5
"""LUTs for 16 words of a bit: TRELLIS_DPR16X4 and RAM16SDP4 with what writes them, RAM32M."""


def layer_resources(job: Job, fabric: Fabric, form: ParallelForm | FoldedForm) -> Resources:
    """What the layer of a job takes in a form."""
    count = job.layer.size
    folds = form.folds if isinstance(form, FoldedForm) else 1
    columns, lanes = ceil(count / form.per_column), ceil(count / folds)
    rows, word = len(job.sources[0].used) * folds, min(ceil(form.per_column / folds), lanes)
    blocks = columns * fabric.memory_blocks(rows, word)
    rom = Resources(0 if blocks else _logic(rows * lanes, fabric), 0, blocks)
    return rom + Resources(_HEAD_LUTS, _HEAD_FFS) + (
        _parallel(job, fabric, form, columns, bool(blocks)) if isinstance(form, ParallelForm)
        else _folded(job, fabric, form, columns, word, bool(blocks)))


def _parallel(job: Job, fabric: Fabric, form: ParallelForm, columns: int, blocks: bool) -> Resources:
    neurons, width, lanes = job.lanes.neurons, job.lanes.neurons.width, job.layer.size
    shared = form.carry if _adds_one(job) and not neurons.moves and not neurons.leaks else 1
    scans = form.scan and not job.is_read
    lane = fabric.carry_cells / shared
    lane += _SCANNER_LUTS if scans else _EMITTER_LUTS
    fetched = form.fetch_registers + (not blocks)
    fetched -= bool(blocks and fabric.block_ram_registers and fetched)
    flops, lone = width + neurons.once + _EMITTER_FFS, fetched
    luts, ffs = columns * _CONTROL_LUTS, columns * _CONTROL_FFS
    if job.is_read:
        lane, lone = lane + width * _HELD_LUTS, lone + width + 1
        luts, ffs = luts + columns * _SENT_LUTS * width, ffs + columns * _SENT_FFS * width
    elif form.queue:
        lane, lone = lane + _QUEUE_LANE_LUTS, lone + 1
        luts, ffs = luts + columns * _QUEUE_LUTS, ffs + columns * _QUEUE_FFS
    return _cells(job, fabric, lanes, luts + lanes * lane, lanes * flops, ffs + lanes * lone)


def _folded(job: Job, fabric: Fabric, form: FoldedForm, columns: int, word: int, blocks: bool) -> Resources:
    neurons, width, folds = job.lanes.neurons, job.lanes.neurons.width, form.folds
    lanes = ceil(job.layer.size / folds)
    kept = width + (neurons.once and neurons.fires)   # bits of a neuron in memory
    sent = width if job.is_read else 0
    # Bits of tables that are the same for all folds are one, and of few folds there are few that differ.
    different = 2 ** folds - 2
    tables = min(lanes * _table_bits(neurons), different)
    starts = min(lanes * width * _differs(neurons.start), different)
    lane = fabric.carry_cells + _EMITTER_LUTS + sent * _HELD_LUTS
    lane += 2 * width    # a first value or the memory's before, and the next or the same one after it
    lone = sent + bool(sent) + (not blocks) + 3    # a sign, pending and waiting spikes
    memories = 0
    if fabric.lut_ram:
        lane += _RAM_LUTS * (kept * ceil(folds / 16) + 1 + sent)
        lone += kept
    else:
        lane += (1 + sent) * _WAITING / 2
        lone += (1 + sent) * _WAITING
        depth, bits = fabric.block_rams[0] if fabric.block_rams else (folds, word * kept)
        memories = ceil(word * kept / bits) * ceil(folds / depth)
        if folds * word * kept < _BLOCK_BITS * memories:
            memories = 0
            lane += kept * folds / 2
            lone += kept * (folds + 1)
    luts = columns * (_FOLDED_LUTS + _SENT_LUTS * sent) + lanes * lane
    luts += _logic(min(folds, job.layer.size) * (tables + starts), fabric)
    ffs = columns * (_FOLDED_FFS + _SENT_FFS * sent)
    return _cells(job, fabric, lanes, luts, lanes * kept + tables, ffs + lanes * lone, columns * memories)


def _cells(job: Job, fabric: Fabric, lanes: int, luts: float, behind: float, lone: float,
           memories: int = 0) -> Resources:
    """Adders of lanes beside other LUTs, and flip-flops behind a LUT and without one."""
    luts *= _WIDE if fabric.lut_inputs >= 6 else 1
    luts += lanes * _adder(job) * fabric.adder_luts + (lone if fabric.paired_cells else 0)
    return Resources(ceil(luts), ceil(behind + lone), memories)


def _adder(job: Job) -> int:
    """LUTs of a lane's arithmetic: what is added where that is not always 1, the sum, and the threshold."""
    neurons, width = job.lanes.neurons, job.lanes.neurons.width
    adder = width
    if not _adds_one(job) or neurons.moves:
        largest = job.sources[0].highest * int(np.max(job.layer.synapses[0].kernel))
        adder += min(width, 1 + max(largest.bit_length(), _bits(neurons.after), _bits(neurons.after_fire)))
    adder += width if neurons.reset_to else 0
    adder += width if neurons.leaks else 0
    return adder + (width if any(map(any, neurons.threshold)) else 0)


def _adds_one(job: Job) -> bool:
    """Whether every spike adds or takes away 1, so that no operand is chosen."""
    return job.sources[0].highest == 1 and bool(np.all(job.layer.synapses[0].kernel == 1))


def _table_bits(neurons: Neurons) -> int:
    """Bits of a neuron's numbers in all tables but that of starts; equal tables are one."""
    tables = {neurons.threshold, neurons.after, neurons.after_fire, neurons.reset_to or (),
              tuple((number,) for number in neurons.bias), tuple((number,) for number in neurons.leak or ())}
    return sum(map(_bits, filter(_differs, tables)))


def _bits(table: tuple[tuple[int, ...], ...]) -> int:
    """Bits of a table's numbers."""
    numbers = [number for row in table for number in row]
    return max(map(abs, numbers), default=0).bit_length() + (min(numbers, default=0) < 0)


def _differs(numbers: tuple) -> bool:
    """Whether numbers of neurons are not one for all."""
    return len(set(numbers)) > 1


def _logic(bits: float, fabric: Fabric) -> int:
    """LUTs of a table in logic."""
    return ceil(bits / 2 ** fabric.lut_inputs * _ROM_LUTS)
