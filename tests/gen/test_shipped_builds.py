"""The Verilog and the ROMs of the shipped networks stay what they are, to the byte, until that is meant.

Where a circuit is changed on purpose, ``python tests/gen/test_shipped_builds.py`` prints the table anew.
"""

import hashlib
from pathlib import Path

import firstspike as fs
import pytest

SHIPPED = {
    ("fashion-784-1000-10-online", "ulx3s-85f"): ("e203597f743a1589", "fb69385fa850378d"),
    ("fashion-784-1000-10-online", "arty-a7-100"): ("3fc24f8eebbdb019", "fb69385fa850378d"),
    ("fashion-784-1000-10-online", "generic"): ("3fc24f8eebbdb019", "fb69385fa850378d"),
    ("fashion-784-600-10-windowed", "ulx3s-85f"): ("eedbc3d8067ba5fe", "d31c70dd97a072ce"),
    ("fashion-784-600-10-windowed", "arty-a7-100"): ("f6affd8c2d4ea29a", "d31c70dd97a072ce"),
    ("fashion-784-600-10-windowed", "generic"): ("f6affd8c2d4ea29a", "d31c70dd97a072ce"),
    ("mnist-784-1200-1200-10-windowed", "ulx3s-85f"): ("3f24e8f0eac4ceda", "1cf3959d65d15387"),
    ("mnist-784-1200-1200-10-windowed", "arty-a7-100"): ("4d3570c60ae263ab", "f6c7b67d2fb27f09"),
    ("mnist-784-1200-1200-10-windowed", "generic"): ("f3443f48441a7f53", "3a6be0a99e362112"),
    ("mnist-784-128-10-online", "icebreaker"): ("25dda15ff05d85c5", "9b4c5c56912ce89a"),
    ("mnist-784-128-10-online", "ulx3s-85f"): ("ec8a5e901730ca8e", "8b71532777b34744"),
    ("mnist-784-128-10-online", "tang-nano-9k"): ("92c6c4e2cccc5c1a", "8b71532777b34744"),
    ("mnist-784-128-10-online", "arty-a7-100"): ("96cbbc9f78a83d83", "8b71532777b34744"),
    ("mnist-784-128-10-online", "generic"): ("96cbbc9f78a83d83", "8b71532777b34744"),
    ("mnist-784-128-10-windowed", "icebreaker"): ("34f8b1b4b0376367", "9b08f9ab02593d45"),
    ("mnist-784-128-10-windowed", "ulx3s-85f"): ("d393e8d80145ad75", "cace1bb6e00f17a8"),
    ("mnist-784-128-10-windowed", "tang-nano-9k"): ("2972a1167eb988e6", "cace1bb6e00f17a8"),
    ("mnist-784-128-10-windowed", "arty-a7-100"): ("90088d2e147c9d1c", "cace1bb6e00f17a8"),
    ("mnist-784-128-10-windowed", "generic"): ("90088d2e147c9d1c", "cace1bb6e00f17a8"),
    ("mnist-784-600-10-online", "ulx3s-85f"): ("7b75a7e20819cb17", "c8de9b84e17ce49d"),
    ("mnist-784-600-10-online", "arty-a7-100"): ("dc3bace1027127d7", "c8de9b84e17ce49d"),
    ("mnist-784-600-10-online", "generic"): ("dc3bace1027127d7", "c8de9b84e17ce49d"),
    ("mnist-784-600-10-windowed", "ulx3s-85f"): ("fb4b237a064cea74", "062606d013ecc8b0"),
    ("mnist-784-600-10-windowed", "arty-a7-100"): ("19a21d4e536e0062", "062606d013ecc8b0"),
    ("mnist-784-600-10-windowed", "generic"): ("19a21d4e536e0062", "062606d013ecc8b0"),
}
"""For a network and a board: of ``rtl/top.v`` and of the ROM files, the first 16 hex digits of SHA-256."""

QUICK = ("mnist-784-128-10-online", "mnist-784-128-10-windowed")


def hashes(network: str, board: str, folder: Path) -> tuple[str, str]:
    made = fs.build(fs.load(network), board, folder / "build")
    roms = hashlib.sha256()
    for path in sorted((made.path / "rtl").rglob("*.hex")):
        roms.update(path.name.encode() + path.read_bytes())
    return hashlib.sha256(made.verilog.read_bytes()).hexdigest()[:16], roms.hexdigest()[:16]


@pytest.mark.parametrize(("network", "board"), [
    pytest.param(*key, marks=[] if key[0] in QUICK else pytest.mark.slow) for key in SHIPPED])
def test_the_same_bytes(network, board, tmp_path):
    assert hashes(network, board, tmp_path) == SHIPPED[network, board]


if __name__ == "__main__":
    import tempfile

    for network, board in SHIPPED:
        with tempfile.TemporaryDirectory() as folder:
            print(f"    {(network, board)}: {hashes(network, board, Path(folder))},")
