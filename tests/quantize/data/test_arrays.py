"""Arrays in files: what is damaged or hostile is refused, and so is what is none."""

import io
import zipfile

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.quantize.data.arrays import read_archive, read_array

LEVELS = np.random.default_rng(0).integers(0, 256, (5, 16)).astype(np.uint8)


def refusal(read, path):
    with pytest.raises(FirstspikeError) as refused:
        read(path)
    sentence = str(refused.value)
    assert "\n" not in sentence and str(path) in sentence
    return sentence


def header(shape):
    text = io.BytesIO()
    np.lib.format.write_array_header_1_0(text, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return text.getvalue()


def test_refuses_damaged_arrays(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, LEVELS)
    good = path.read_bytes()
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
    pickled = path.read_bytes()
    for data in (good[:-1], good[:60], good[:3], b"", pickled, header((1 << 50, 16)) + b"x" * 16,
                 header((-1, 16))):
        path.write_bytes(data)
        assert "cannot be read as a numpy array: " in refusal(read_array, path), data[:20]
    path.write_bytes(b"\x80\x04N.")
    assert refusal(read_array, path).endswith("x.npy is a pickle, which could run code; save arrays with "
                                              "numpy.save()")
    archive = io.BytesIO()
    np.savez(archive, images=LEVELS)
    path.write_bytes(archive.getvalue())
    assert refusal(read_array, path).endswith("x.npy is an archive; unpack it, or let its name end in .npz "
                                              "where numpy.savez() wrote it")


def test_refuses_damaged_archives(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, images=LEVELS)
    good = path.read_bytes()
    for data in (good[:-5], good[:50], b"", b"PK\3\4", good.replace(b"images", b"imagez", 1)):
        path.write_bytes(data)
        assert "cannot be read as numpy arrays: " in refusal(read_archive, path), data[:20]
    np.savez(path, pictures=LEVELS)
    assert "holds no array 'images'" in refusal(read_archive, path)
    np.savez(path, images=np.array([{"a": 1}], object))
    assert "its header asks for" in refusal(read_archive, path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", header((1 << 50, 16)) + b"x" * 16)
    assert f"its header asks for ({1 << 50}, 16) of uint8, which it does not hold" in refusal(
        read_archive, path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", b"nothing")
    assert "cannot be read as numpy arrays: " in refusal(read_archive, path)
