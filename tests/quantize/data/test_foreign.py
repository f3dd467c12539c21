"""What a file is by its first bytes."""

import pytest
from firstspike.quantize.data.foreign import BEGINNINGS, PICTURES, foreign, refusal_of


@pytest.mark.parametrize(("beginning", "what"), [
    (b"GIF89a" + bytes(26), "a GIF picture; save it as PNG"),
    (b"\xff\xd8\xff\xe0" + bytes(28), "a JPEG picture; save it as PNG"),
    (b"RIFF\x10\0\0\0WEBPVP8 ", "a WebP picture; save it as PNG"),
    (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer, not the file itself; fetch that "
                                                      "with git lfs pull"),
    (b"<!DOCTYPE html><html>", "a web page, not a download; fetch the file again"),
])
def test_known(beginning, what):
    assert foreign(beginning) == what


@pytest.mark.parametrize("beginning", [b"", b"\0\0\x08\x03", b"RIFF\0\0\0\0WAVE", b"version 2", bytes(32)])
def test_unknown(beginning):
    assert foreign(beginning) is None


def test_what_the_name_says_is_nothing_to_tell():
    """A damaged .png is no file of another kind, but a GIF stays one whatever its name."""
    for mark, end, what in BEGINNINGS:
        assert foreign(mark) == what
        assert foreign(mark, end.upper()) == (None if end in (".png", ".npy", ".npz") else what)
    assert ".gif" in PICTURES and ".png" not in PICTURES


def test_the_sentence(tmp_path):
    path = tmp_path / "x.png"
    assert refusal_of(path, "it is not there") == "it is not there"
    path.write_bytes(b"GIF89a")
    assert refusal_of(path, "it is damaged") == f"{path} is a GIF picture; save it as PNG"
    path.write_bytes(b"")
    assert refusal_of(path, "it is damaged") == "it is damaged"
