"""The forms of an event layer refuse numbers that no circuit has."""

import pytest
from firstspike.rtl.event.forms import FoldedForm, ParallelForm


@pytest.mark.parametrize(("made", "sentence"), [
    (lambda: FoldedForm(16, 0), "folds must be at least 4, not 0"),
    (lambda: FoldedForm(16, 2), "folds must be at least 4, not 2"),
    (lambda: FoldedForm(16, -4), "folds must be at least 4, not -4"),
    (lambda: FoldedForm(16, 6), "folds must be a power of two, not 6"),
    (lambda: FoldedForm(0, 4), "per_column must be at least 1, not 0"),
    (lambda: ParallelForm(0), "per_column must be at least 1, not 0"),
    (lambda: ParallelForm(4, group=0), "group must be at least 1, not 0"),
    (lambda: ParallelForm(4, fetch_registers=-1), "fetch_registers must be at least 0, not -1"),
    (lambda: ParallelForm(4, carry=0), "carry must be at least 1, not 0"),
])
def test_numbers_out_of_range(made, sentence):
    with pytest.raises(ValueError) as caught:
        made()
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("made", "sentence"), [
    (lambda: FoldedForm(16, 4.0), "folds must be an integer, not 4.0"),
    (lambda: FoldedForm("16", 4), "per_column must be an integer, not '16'"),
    (lambda: ParallelForm(4, carry=True), "carry must be an integer, not True"),
])
def test_what_is_no_integer(made, sentence):
    with pytest.raises(TypeError) as caught:
        made()
    assert str(caught.value) == sentence
