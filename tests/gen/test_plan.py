"""The planner: foldings that fit, refusals that help."""

from dataclasses import replace

import numpy as np
import pytest
from firstspike.boards import BOARDS
from firstspike.boards.families import FAMILIES
from firstspike.errors import FirstspikeError
from firstspike.gen.plan import Plan, fits, plan
from firstspike.network import Dense, Input, Latency, Layer, Network
from firstspike.rtl.memory import BLOCK_BITS


def network(inputs, *sizes, window=4):
    rng = np.random.default_rng(1)
    table = np.linspace(window - 1, 0, 16).round().astype(int)
    table[0] = -1
    layers, heard = [], inputs
    for size in sizes:
        weights = rng.choice(np.array([-1, 1], np.int8), (size, heard))
        layers.append(Layer(Dense(weights), window, threshold=3))
        heard = size
    return Network(Input(inputs, window, Latency(table)), layers)


def test_everything_in_parallel_where_it_fits():
    planned = plan(network(100, 60, 10), BOARDS["ulx3s-85f"])
    assert [layer.offer.facts["folds"] for layer in planned.layers] == [1, 1]
    assert planned.limit == "everything in parallel"
    assert planned.layers[0].offer.facts["lanes"] == 60


def test_a_small_board_is_met_by_folding():
    board = BOARDS["icebreaker"]
    planned = plan(network(128, 512, 10), board)
    assert planned.layers[0].offer.facts["folds"] > 1
    assert fits(board, planned.resources + planned.overhead)


def test_asked_throughput_takes_the_least_area():
    net = network(300, 300, 10)
    fast, slow = (plan(net, BOARDS["ulx3s-85f"], images_per_second=rate) for rate in (200_000, 2_000))
    assert slow.resources.luts < fast.resources.luts
    assert slow.images_per_second >= 2_000 and fast.images_per_second >= 200_000


def test_throughput_out_of_reach_is_refused_with_the_most_there_is():
    with pytest.raises(FirstspikeError, match=r"out of reach on ulx3s-85f.*the most that .* is [\d,]+;"):
        plan(network(300, 300, 10), BOARDS["ulx3s-85f"], images_per_second=1e9)


def test_what_does_not_fit_is_refused_with_needs_and_a_board_that_would_do():
    with pytest.raises(FirstspikeError) as refusal:
        plan(network(784, 600, 10), BOARDS["icebreaker"])
    text = str(refusal.value)
    assert "does not fit icebreaker" in text and "block RAMs of 30" in text and "ulx3s-85f" in text


def test_a_plan_comes_back_from_its_json():
    planned = plan(network(50, 20, 5), BOARDS["tang-nano-9k"], images_per_second=100)
    assert Plan.from_json(planned.to_json()) == planned


def test_a_faster_clock_gives_more_images():
    net, board = network(50, 20, 5), BOARDS["ulx3s-85f"]
    slow, fast = (plan(net, board, clock_hz=clock).images_per_second for clock in (25e6, 100e6))
    assert fast == pytest.approx(4 * slow)


def test_a_clock_that_no_measured_design_reaches_is_warned_of():
    net, board = network(50, 20, 5), BOARDS["icebreaker"]
    fastest = FAMILIES["ice40"].fabric.fastest_hz
    assert plan(net, board, clock_hz=fastest).warnings == ()
    (warning,) = plan(net, board, clock_hz=90e6).warnings
    assert f"90 MHz is above the {fastest / 1e6:g} MHz" in warning and "ice40" in warning
    assert plan(net, BOARDS["generic"], clock_hz=5e9).warnings == ()


def test_no_board_is_warned_of_at_its_own_clock():
    assert {name: plan(network(20, 5), board).warnings for name, board in BOARDS.items()} == dict.fromkeys(
        BOARDS, ())


def test_a_plan_with_warnings_comes_back_from_its_json():
    planned = plan(network(20, 5), BOARDS["icebreaker"], clock_hz=90e6)
    assert planned.warnings and Plan.from_json(planned.to_json()) == planned


def test_the_estimate_counts_a_rom_where_it_becomes_block_ram():
    board = BOARDS["ulx3s-85f"]
    small, large = (plan(network(rows, 4), board).resources.block_rams for rows in
                    (BLOCK_BITS // 4 - 1, BLOCK_BITS // 4))
    assert (small, large) == (0, 1)


def test_the_estimate_leaves_out_flip_flops_that_block_rams_hold(monkeypatch):
    board, sizes = BOARDS["ulx3s-85f"], [(BLOCK_BITS // 4 - 1, 4), (BLOCK_BITS // 4, 4)]
    inside = [plan(network(*size), board).resources.ffs for size in sizes]
    family = FAMILIES["ecp5"]
    without = replace(family, fabric=replace(family.fabric, block_ram_registers=False))
    monkeypatch.setitem(FAMILIES, "ecp5", without)
    outside = [plan(network(*size), board).resources.ffs for size in sizes]
    # Of each lane the register of a ROM that is logic, and one behind that of a block RAM.
    assert inside[0] - inside[1] == 8 and outside[0] - outside[1] == 4


def test_early_stop_only_where_a_first_spike_decides():
    net = network(20, 5)
    assert plan(net, BOARDS["generic"]).early_stop
    assert not plan(net, BOARDS["generic"], early_stop=False).early_stop
    silent = replace(net.layers[0], fires="never", threshold=None)
    potential = Network(net.input, [silent], readout="potential")
    assert not plan(potential, BOARDS["generic"]).early_stop
