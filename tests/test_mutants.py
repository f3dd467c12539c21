"""What ``make mutate`` changes: small mistakes, each in code and nowhere else, each in its place."""

import ast
from pathlib import Path

import pytest
from firstspike.bench.mutants import all_mutants, one_a_line
from firstspike.bench.mutation import ELSEWHERE, FILES, its_tests

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("source, changes", [
    ("x = a & ~b\n", ["x = a | ~b", "x = a & b", "x = (a)", "x = (~b)"]),
    ("x = a[1:] + 0\n", ["x = a[0:] + 0", "x = a[1:] - 0", "x = a[1:] + 1"]),
    ("m.If(a == b)\n", ["m.If(~(a == b))", "m.If(a != b)"]),
    ("x = Mux(p, q.r, s)\n", ["x = Mux(p, s, q.r)"]),
    ("x = a.any()\n", ["x = a.all()"]),
    ("x = 1 if a else 2\n", ["x = 0 if a else 2", "x = 1 if not (a) else 2", "x = 1 if a else 3"]),
    ("if not a or b <= c:\n    pass\n", ["if not (not a or b <= c):", "if a or b <= c:",
                                          "if not a and b <= c:", "if not a or b < c:"]),
    ("x = True\n", ["x = False"]),
    ("x = \"θ\"; y = a ^ b << c\n", ["x = \"θ\"; y = a | b << c", "x = \"θ\"; y = a ^ b >> c"]),
])
def test_every_change_of_a_line(source, changes):
    assert sorted(mutant.change(source) for mutant in all_mutants(source)) == sorted(changes)


@pytest.mark.parametrize("source", [
    '"""1 and 2."""\n', "from a import b\n", "x: int | None\n", "def f(a: int | None) -> A | B:\n    pass\n",
    "x = f\"{a + 1}\"\n", "x = Signal(reset_less=True)\n"])
def test_what_is_no_code_stays(source):
    assert not all_mutants(source)


@pytest.mark.parametrize("file", FILES)
def test_one_change_a_line_of_each_file(file):
    source = (ROOT / file).read_text()
    mutants, whole = one_a_line(source), ast.dump(ast.parse(source))
    assert len(mutants) > 10 and len({mutant.line for mutant in mutants}) == len(mutants)
    assert set(mutants) <= set(all_mutants(source))
    for mutant in mutants:
        assert ast.dump(ast.parse(mutant.apply(source))) != whole


@pytest.mark.parametrize("file", sorted({*FILES, *ELSEWHERE}))
def test_each_file_has_its_tests(file):
    assert (ROOT / file).is_file() and its_tests(file)
    assert all((ROOT / test).is_file() for test in its_tests(file))
