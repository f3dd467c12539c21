"""What is printed holds nothing that a terminal or an XML file would act on."""

import pytest
from firstspike.errors import FirstspikeError
from firstspike.printable import printable


@pytest.mark.parametrize("text, shown", [
    ("größer ∑ 𝄞 x", "größer ∑ 𝄞 x"),
    ("a\nb\rc\td", r"a\nb\rc\td"),
    ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
    ("\x9b31m", r"\x9b31m"),
    ("abc\u202edcba", r"abc\u202edcba"),
    ("\udc80.net", r"\udc80.net"),
    ("\u2028\U000e0001", r"\u2028\U000e0001"),
    (7, "7"),
])
def test_printable(text, shown):
    assert printable(text) == shown and printable(text).isprintable()
    assert str(FirstspikeError(text)) == shown
    shown.encode()
