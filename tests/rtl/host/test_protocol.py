"""The numbers of a core that its link must know."""

import pytest
from harness.links import sample_facts


def test_lengths_follow_from_the_numbers():
    facts = sample_facts(size=7, levels=1000, window=300, addresses=5, value_bits=10, max_value=999,
                         max_spikes=100)
    assert (facts.level_bytes, facts.token_bytes) == (2, 3)
    assert (facts.levels_length, facts.spikes_length, facts.longest) == (14, 1200, 1200)
    assert sample_facts(size=900).longest == 900
    assert sample_facts(levels=0).levels_length == 0


@pytest.mark.parametrize("changes, error, message", [
    ({"size": 0}, ValueError, r"^size must be from 1 to 1048576, not 0$"),
    ({"window": 2.0}, TypeError, r"^window must be an integer, not 2\.0$"),
    ({"levels": 1 << 17}, ValueError, r"^levels must be from 0 to 65536, not 131072$"),
    ({"digest": b"abc"}, ValueError, r"^digest must have at least 8 bytes, not 3$"),
    ({"max_spikes": (1 << 24) - 1, "addresses": 1000}, ValueError, r"^an image must fit a frame of"),
])
def test_facts_are_checked(changes, error, message):
    with pytest.raises(error, match=message):
        sample_facts(**changes)
