"""IDX files: read whole or refused with the reason."""

import gzip
import struct

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.quantize.data import idx as data
from firstspike.quantize.data.idx import load_idx, read_idx


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_set(folder, split="train", count=12, shape=(4, 3), pack=gzip.compress, suffix=".gz"):
    generator = np.random.default_rng(len(split))
    levels = generator.integers(0, 256, (count, *shape), dtype=np.uint8)
    labels = (np.arange(count) % 5).astype(np.uint8)
    (folder / f"{split}-images-idx3-ubyte{suffix}").write_bytes(pack(idx(levels)))
    (folder / f"{split}-labels-idx1-ubyte{suffix}").write_bytes(pack(idx(labels)))
    return levels, labels


@pytest.mark.parametrize("shape", [(7,), (3, 5), (2, 3, 4), (2, 1, 3, 2)])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_read(tmp_path, shape, pack):
    array = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    path = tmp_path / "any-name"
    path.write_bytes(pack(idx(array)))
    read = read_idx(path)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize(("content", "message"), [
    (b"", "not an IDX file"),
    (b"\x89PNG....", "not an IDX file of unsigned bytes: it begins with 89504e47"),
    (b"\0\0\x0d\1" + bytes(4), "not an IDX file"),
    (b"\0\0\x08\3\0\0\0\1", "cut off inside its header"),
    (idx(np.zeros((3, 4), np.uint8))[:-1], r"holds 11 bytes of data where its header \(3, 4\) asks for 12"),
    (idx(np.zeros((3, 4), np.uint8)) + b"x", "holds 13 bytes"),
    (b"\0\0\x08\2\xff\xff\xff\xff\xff\xff\xff\xff", "asks for 18446744065119617025"),
    (gzip.compress(idx(np.zeros(400, np.uint8)), mtime=0)[:-9], "cannot read"),
    (gzip.compress(idx(np.zeros(400, np.uint8)), mtime=0)[:-8] + bytes(8), "cannot read"),
    (b"\x1f\x8b\x08" + bytes(9), "cannot read"),
])
def test_read_wrong(tmp_path, content, message):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(FirstspikeError, match=message):
        read_idx(path)


def test_read_missing(tmp_path):
    with pytest.raises(FirstspikeError, match=r"cannot read .*nothing"):
        read_idx(tmp_path / "nothing")


def test_read_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "LIMIT", 100)
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(idx(np.zeros(200, np.uint8))))
    with pytest.raises(FirstspikeError, match="more than 100 bytes"):
        read_idx(path)


@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
@pytest.mark.parametrize(("pack", "suffix"), [(bytes, ""), (gzip.compress, ".gz")])
def test_load(tmp_path, split, prefix, pack, suffix):
    levels, labels = write_set(tmp_path, prefix, pack=pack, suffix=suffix)
    images = load_idx(tmp_path, split)
    assert (len(images), images.shape, images.classes, images.name) == (12, (4, 3), 5, tmp_path.name)
    np.testing.assert_array_equal(images.levels, levels.reshape(12, 12))
    np.testing.assert_array_equal(images.labels, labels)
    assert images.labels.dtype == np.int64


def test_load_missing(tmp_path):
    with pytest.raises(FirstspikeError, match=r"no folder .*nowhere.*storage\.googleapis\.com"):
        load_idx(tmp_path / "nowhere", "train")
    write_set(tmp_path)
    with pytest.raises(FirstspikeError, match="lacks t10k-images-idx3-ubyte"):
        load_idx(tmp_path, "test")
    with pytest.raises(ValueError, match=r"^split must be 'train' or 'test', not 'all'$"):
        load_idx(tmp_path, "all")


def test_load_counts_differ(tmp_path):
    write_set(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(idx(np.zeros(11, np.uint8)))
    with pytest.raises(FirstspikeError, match="as many images"):
        load_idx(tmp_path, "train")


def test_load_known_set_with_one_wrong_file(tmp_path, monkeypatch):
    write_set(tmp_path, pack=bytes, suffix="")
    names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]
    sums = {name: data.hashlib.md5((tmp_path / name).read_bytes()).hexdigest() for name in names}
    monkeypatch.setattr(data, "DIGESTS", {"Numbers": sums})
    assert load_idx(tmp_path, "train").name == "Numbers"
    damaged = bytearray((tmp_path / names[0]).read_bytes())
    damaged[-1] ^= 1
    (tmp_path / names[0]).write_bytes(damaged)
    with pytest.raises(FirstspikeError, match="train-images-idx3-ubyte is not the one of Numbers"):
        load_idx(tmp_path, "train")


@pytest.mark.parametrize(("folder", "name"), [("mnist", "MNIST"), ("fashion_mnist", "Fashion-MNIST")])
def test_real_sets_are_known(shared_data, folder, name):
    if not (shared_data / folder).is_dir():
        pytest.skip(f"{folder} is not in {shared_data}")
    images = load_idx(shared_data / folder, "test")
    assert (images.name, len(images), images.shape, images.classes) == (name, 10_000, (28, 28), 10)
