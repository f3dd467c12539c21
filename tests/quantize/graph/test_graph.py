"""Graphs: names for people, shapes for all, and what does not lead to what is read."""

import subprocess
import sys

import numpy as np
import pytest
from firstspike.quantize.graph.graph import INPUT, Graph, Node
from firstspike.quantize.graph.operations import Affine, Flat, Gain, Geometry, Pooling, Sum, spread
from firstspike.quantize.graph.refusals import Place, Refusals


def graph(*labels: str) -> Graph:
    made = Graph((3,))
    for number, label in enumerate(labels):
        made.add(Node(Place(f"place{number}", "Sum"), Sum(), (number - 1,), (3,), label))
    made.output = len(labels) - 1
    return made


@pytest.mark.parametrize(("labels", "expected"), [
    (("a", "b"), ["a", "b"]), (("", ""), ["place0", "place1"]), (("a", "a"), ["place0", "place1"]),
    (("input", "b"), ["place0", "b"]), (("place1", ""), ["place0", "place1"]),
    (("a" * 100, "b"), ["a" * 100, "b"]), (("a" * 200, "b"), ["a" * 93, "b"]),
])
def test_labels_are_unique_and_near(labels: tuple, expected: list) -> None:
    assert graph(*labels).labels() == expected


def test_places_may_be_the_same() -> None:
    made = Graph((3,))
    for source in (INPUT, 0, 1):
        made.add(Node(Place("input", "Sum"), Sum(), (source,), (3,)))
    assert made.labels() == ["input_2", "input_3", "input_4"]


def test_what_does_not_lead_to_what_is_read() -> None:
    made = graph("a", "b", "c")
    made.output = 1
    assert [node.label for node in made.without_use()] == ["c"]


@pytest.mark.parametrize(("operation", "shape", "after"), [
    (Affine(np.ones((5, 3)), np.zeros(5)), (3,), (5,)),
    (Affine(np.ones((4, 1, 3, 2)), np.zeros(4), Geometry((2, 1), (1, 0, 0, 1), (1, 2), 2)), (2, 7, 6),
     (4, 3, 5)),
    (Pooling(True, (2, 3), Geometry((2, 1))), (2, 7, 6), (2, 3, 4)), (Flat(), (2, 7, 6), (84,)),
    (Gain(np.ones((2, 1, 1))), (2, 7, 6), (2, 7, 6)), (Sum(), (3,), (3,)),
])
def test_each_operation_says_its_shape(operation, shape: tuple, after: tuple) -> None:
    assert operation.behind(shape) == after


def test_numbers_spread_as_they_broadcast() -> None:
    assert spread(2.0, (2, 1, 2), "gain").tolist() == [2] * 4
    assert spread(np.array([1.0, 2.0]).reshape(2, 1, 1), (2, 1, 2), "gain").tolist() == [1, 1, 2, 2]
    assert spread(np.array([1.0, 2.0]), (2, 1, 2), "gain").tolist() == [1, 2, 1, 2]
    with pytest.raises(ValueError, match=r"its gain must be one number, or numbers of the shape \(4,\)"):
        spread(np.ones((2, 2)), (4,), "gain")
    with pytest.raises(ValueError, match="its gain must be finite numbers"):
        spread(np.nan, (4,), "gain")


def test_refusals_name_everything_once() -> None:
    refusals = Refusals()
    refusals.raise_any()
    for place in ("a", "b", "a"):
        refusals.add(Place(place, "Linear"), "it is wrong; mend it")
    refusals.add(Place("", "Net"), "so is this")
    with pytest.raises(ValueError, match=r"^no: a \(Linear\): it is wrong; mend it; b \(Linear\): it is w"
                                         r"rong; mend it; the whole \(Net\): so is this$"):
        refusals.raise_any("no")


def test_no_importer_and_no_conversion_loads_torch_or_nir_by_itself() -> None:
    rooms = ("convert.convert", "convert.settings", "importers.nir", "importers.snntorch",
             "importers.spikingjelly", "importers.report", "export.nir", "export.rom",
             "graph.graph")
    heavy = ("torch", "nir", "h5py", "snntorch", "spikingjelly")
    lines = [f"import firstspike.quantize.{room}" for room in rooms]
    lines.append(f"import sys; print(*(name for name in {heavy} if name in sys.modules))")
    command = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
