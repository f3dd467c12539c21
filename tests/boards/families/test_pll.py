"""Clocks: what the PLLs are set to, against the families' own calculators and limits."""

import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from firstspike.boards.families import FAMILIES
from firstspike.boards.families.ice40 import filter_range
from firstspike.boards.families.pll import choose
from firstspike.errors import FirstspikeError

MHZ = 10**6


def calculator(program, *arguments) -> str:
    path = Path(sys.executable).with_name(program)
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def nearest(family, crystal, asked):
    return min(FAMILIES[family].toolchain.settings(crystal), key=lambda one: abs(one.hz - Fraction(asked)))


@pytest.mark.parametrize("asked", [17, 24, 33.3, 48, 61.7, 100, 264])
def test_ice40_is_as_near_as_icepll(asked):
    told = calculator("yowasp-icepll", "-i", "12", "-o", str(asked))
    theirs = float(re.search(r"F_PLLOUT: *([\d.]+) MHz \(achieved\)", told)[1])
    ours = nearest("ice40", 12 * MHZ, round(asked * MHZ))
    assert abs(float(ours.hz) / MHZ - asked) <= abs(theirs - asked) + 1e-3
    dividers = dict(ours.dividers)
    made = 12 * MHZ * (dividers["DIVF"] + 1) / Fraction(2 ** dividers["DIVQ"] * (dividers["DIVR"] + 1))
    assert made == ours.hz


@pytest.mark.parametrize("crystal", [12, 25, 30, 50, 80, 120])
def test_ice40_filter_range_is_icepll_s(crystal):
    told = calculator("yowasp-icepll", "-i", str(crystal), "-o", "60")
    comparison = float(re.search(r"F_PFD: *([\d.]+) MHz", told)[1])
    assert filter_range(Fraction(comparison) * MHZ) == int(re.search(r"FILTER_RANGE: (\d)", told)[1])


@pytest.mark.parametrize("asked", [12.5, 33.3, 75, 93.75, 125, 150, 400])
def test_ecp5_is_as_near_as_ecppll(asked):
    told = calculator("yowasp-ecppll", "-i", "25", "-o", str(asked))
    theirs = float(re.search(r"clkout0 frequency: ([\d.]+) MHz", told)[1])
    ours = nearest("ecp5", 25 * MHZ, round(asked * MHZ))
    assert abs(float(ours.hz) / MHZ - asked) <= abs(theirs - asked) + 1e-3
    dividers = dict(ours.dividers)
    assert ours.hz == Fraction(25 * MHZ * dividers["CLKFB_DIV"], dividers["CLKI_DIV"])
    assert 400 * MHZ <= ours.hz * dividers["CLKOP_DIV"] <= 800 * MHZ


@pytest.mark.parametrize("asked", [10, 27.5, 54, 60, 81, 100])
def test_gowin_is_as_near_as_gowin_pll(asked):
    told = calculator("gowin_pll", "-i", "27", "-o", str(asked), "-d", "GW1NR-LV9QN88PC6/I5")
    theirs = float(re.search(r"Achieved output frequency: *([\d.]+) MHz", told)[1])
    ours = nearest("gowin", 27 * MHZ, round(asked * MHZ))
    assert abs(float(ours.hz) / MHZ - asked) <= abs(theirs - asked) + 1e-3
    dividers = dict(ours.dividers)
    assert ours.hz == Fraction(27 * MHZ * (dividers["FBDIV_SEL"] + 1), dividers["IDIV_SEL"] + 1)
    assert 400 * MHZ <= ours.hz * dividers["ODIV_SEL"] <= 1200 * MHZ


@pytest.mark.parametrize("asked", [12.5, 133.3333, 142, 175, 250])
def test_xilinx_settings_keep_the_data_sheet_s_limits(asked):
    ours = nearest("xilinx7", 100 * MHZ, round(asked * MHZ))
    dividers = dict(ours.dividers)
    comparison = Fraction(100 * MHZ, dividers["DIVCLK_DIVIDE"])
    oscillator = comparison * dividers["CLKFBOUT_MULT"]
    assert 19 * MHZ <= comparison <= 450 * MHZ
    assert 800 * MHZ <= oscillator <= 1600 * MHZ
    assert ours.hz == oscillator / dividers["CLKOUT0_DIVIDE"]
    assert abs(ours.hz - asked * MHZ) < asked * MHZ / 500


def test_zero_and_negative_clocks():
    for asked in (0, -5e6):
        with pytest.raises(FirstspikeError, match=r"^the clock must be more than 0 MHz, not -?[05] MHz$"):
            choose([], 12 * MHZ, asked, "x")
