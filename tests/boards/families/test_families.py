"""The device families: facts of fabrics, each in a file of its own, and nothing elsewhere by their names."""

import ast
from pathlib import Path

import pytest
from firstspike.boards.families import FAMILIES
from firstspike.boards.families.fabric import Fabric
from firstspike.rtl.memory import BLOCK_BITS

ECP5, CHIP = FAMILIES["ecp5"].fabric, FAMILIES["chip"].fabric


def test_every_family_knows_its_name():
    assert list(FAMILIES) == ["ice40", "ecp5", "gowin", "xilinx7", "generic", "chip"]
    for name, family in FAMILIES.items():
        assert family.name == name and family.title
    assert [name for name, family in FAMILIES.items() if family.toolchain is None] == ["generic", "chip"]


def test_no_code_but_a_family_s_own_knows_it_by_name(root):
    own = {name for name, family in FAMILIES.items() if family.toolchain is not None}
    found = []
    for room in ("boards", "gen", "commands", "report", "sim"):
        for path in (root / room).rglob("*.py"):
            if path.parent.name == "families" or "BOARD = Board(" in path.read_text():
                continue
            words = {node.value for node in ast.walk(ast.parse(path.read_text()))
                     if isinstance(node, ast.Constant) and isinstance(node.value, str)}
            found += [(str(path.relative_to(root)), word) for word in sorted(words & own)]
    # The planner's own table of tastes is about to go.
    assert {place for place, _ in found} <= {str(Path("gen", "estimate.py"))}


@pytest.mark.parametrize("rows, width, blocks", [
    (BLOCK_BITS // 4 - 1, 4, 0), (BLOCK_BITS // 4, 4, 1), (512, 36, 1), (512, 37, 2), (513, 36, 2),
    (784, 600, 34), (1024, 18, 1), (16384, 1, 1), (16385, 1, 2)])
def test_block_rams_of_a_memory(rows, width, blocks):
    assert ECP5.memory_blocks(rows, width) == blocks


def test_the_best_width_wastes_least():
    assert ECP5.best_width(512, 600) == 36
    assert ECP5.best_width(784, 600) == 18
    assert ECP5.best_width(4096, 100) == 9
    assert ECP5.best_width(512, 20) == 20
    assert ECP5.best_width(10, 20) == 16          # becomes logic
    assert FAMILIES["ice40"].fabric.best_width(256, 600) == 16
    for rows in (300, 784, 2000):
        best = ECP5.best_width(rows, 600)
        assert all(ECP5.memory_blocks(rows, best) * -(-600 // best)
                   <= ECP5.memory_blocks(rows, bits) * -(-600 // bits) for bits in (9, 18, 36))


def test_a_chip_s_memories_are_macros_made_to_measure():
    assert CHIP.memory_blocks(784, 600) == 1 and CHIP.best_width(784, 600) == 600
    assert CHIP.memory_blocks(10, 20) == 0 and CHIP.best_width(10, 20) == 16
    assert not CHIP.initial_values and not CHIP.initial_ones


@pytest.mark.parametrize("options, message", [
    ({"block_rams": ((0, 8),)}, "block_rams must be pairs of positive rows and width"),
    ({"lut_inputs": 1}, "lut_inputs must be at least 2, not 1"),
    ({"carry_cells": -1}, "carry_cells must be 0 or more, not -1"),
    ({"initial_values": False}, "initial_ones must be False where there are no initial_values"),
])
def test_a_fabric_is_checked(options, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Fabric(**{"block_rams": ((512, 36),)} | options)
