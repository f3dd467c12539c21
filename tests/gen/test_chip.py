"""A chip has no initial values: without them a core is the same, once it was reset."""

import hashlib
import json
import re

import firstspike as fs
import numpy as np
import pytest

REGISTER = re.compile(
    r"^(  reg (?:signed )?(?:\[[^]]+\] )?(?!\\\$(?:auto|awake))\S+ ?) = [^;]+;", re.MULTILINE)
CLEARED = re.compile(r"^  initial begin\n(?:    \S+\[\d+\] = \d+'[hb]0+;\n)+  end\n", re.MULTILINE)
"""A register's initial value, and those of a memory that starts empty (a written one's; what Yosys writes to
wake its blocks in a simulation stays)."""


def network(phase: str) -> fs.Network:
    rng = np.random.default_rng(4)

    def layer(size, heard):
        weights = rng.choice(np.array([-1, 1], np.int8), (size, heard))
        return fs.Layer(fs.Dense(weights), 8, threshold=2, phase=phase)
    levels = fs.Latency([-1, 7, 6, 5, 4, 3, 2, 1, 0])
    return fs.Network(fs.Input(40, 8, levels), [layer(24, 40), layer(3, 24)])


@pytest.mark.parametrize("phase, images_per_second", [("online", None), ("windowed", 20_000)])
def test_a_core_needs_a_reset_and_no_initial_values(phase, images_per_second, tmp_path, icarus):
    build = fs.build(network(phase), "chip", tmp_path / "build", clock_hz=6e6,
                     images_per_second=images_per_second)
    assert (build.plan.layers[0].offer.facts["folds"] > 1) == bool(images_per_second)
    text = build.verilog.read_text()
    text, registers = REGISTER.subn(r"\1;", text)
    text, memories = CLEARED.subn("", text)
    assert registers > 100 and memories > 0
    assert len(re.findall("initial begin", text)) >= 1      # the ROMs keep what they hold
    build.verilog.write_text(text)
    manifest = json.loads((build.path / "manifest.json").read_text())
    manifest["files"]["rtl/top.v"] = hashlib.sha256(text.encode()).hexdigest()
    (build.path / "manifest.json").write_text(json.dumps(manifest))
    images = np.random.default_rng(5).integers(0, 9, (12, 40))
    found = fs.verify(fs.open_build(build.path), images, simulator="icarus", stalls=True)
    assert found.passed and found.spikes > 100
