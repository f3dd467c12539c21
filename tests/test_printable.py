"""Names from outside are shown as text and nothing else."""

import pytest
from firstspike.printable import printable


@pytest.mark.parametrize("text", ["", "Grüße, 重み 🧠", "a b#c:d$e'f\"<&>"])
def test_text_stays(text):
    assert printable(text) == text


@pytest.mark.parametrize("code", [0, 7, 8, 9, 10, 13, 27, 31, 0x7F, 0x85, 0x9B, 0x200E, 0x202E, 0x2028,
                                  0x2066, 0xD800, 0xDCFF, 0xFFFE, 0xFFFF, 0x1FFFE])
def test_what_is_no_text_is_replaced(code):
    assert printable(f"a{chr(code)}b") == "a\ufffdb"
