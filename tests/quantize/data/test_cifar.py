"""CIFAR-10's binary version: read whole, from its files or its archive, or refused with the reason."""

import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.quantize.data import cifar as data_cifar
from firstspike.quantize.data.cifar import ARCHIVE, FILES, FOLDER, is_cifar10, load_cifar10

HOME = "https://www.cs.toronto.edu/~kriz/cifar.html"


def records(count: int, seed: int) -> np.ndarray:
    """``count`` records: a class and its pixels."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.integers(0, 10, (count, 1)), rng.integers(0, 256, (count, 3072))],
                          axis=1).astype(np.uint8)


def write(folder: Path) -> dict[str, np.ndarray]:
    """The six files, of three records each; gives back each split's."""
    folder.mkdir(exist_ok=True)
    written: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    for split, names in FILES.items():
        for name in names:
            written[split].append(records(3, len(written["train"]) + 7 * len(written["test"])))
            (folder / name).write_bytes(written[split][-1].tobytes())
    return {split: np.concatenate(parts) for split, parts in written.items()}


def pack(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """The archive, which is then the one that is known."""
    written = write(folder / FOLDER)
    with tarfile.open(folder / ARCHIVE, "w:gz") as archive:
        archive.add(folder / FOLDER, FOLDER)
    for path in (folder / FOLDER).iterdir():
        path.unlink()
    (folder / FOLDER).rmdir()
    digest = hashlib.md5((folder / ARCHIVE).read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(data_cifar, "ARCHIVE_MD5", digest)
    return written


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("where", ["files", "folder", "archive"])
def test_read(split: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if where == "archive":
        written = pack(tmp_path, monkeypatch)
    else:
        written = write(tmp_path / FOLDER if where == "folder" else tmp_path)
    assert is_cifar10(tmp_path)
    images = load_cifar10(tmp_path, split)
    assert len(images) == (15 if split == "train" else 3)
    assert (images.name, images.shape, images.channels) == ("CIFAR-10", (32, 32), 3)
    assert images.levels.dtype == np.uint8
    np.testing.assert_array_equal(images.levels, written[split][:, 1:])
    np.testing.assert_array_equal(images.labels, written[split][:, 0])
    assert images.labels.dtype == np.int64


def test_the_archives_checksum_is_that_of_its_home() -> None:
    assert data_cifar.ARCHIVE_MD5 == "c32a1d4ab5d03f1284b67883e8d87530"


def test_what_is_missing_and_where_it_comes_from(tmp_path: Path) -> None:
    assert not is_cifar10(tmp_path)
    with pytest.raises(FirstspikeError, match=f"lacks test_batch.bin .or {ARCHIVE}.: .*{HOME}"):
        load_cifar10(tmp_path, "test")
    with pytest.raises(FirstspikeError, match=f"there is no folder .*{HOME}"):
        load_cifar10(tmp_path / "nowhere", "test")
    write(tmp_path)
    (tmp_path / "data_batch_4.bin").unlink()
    with pytest.raises(FirstspikeError, match=f"lacks data_batch_4.bin: .*{HOME}"):
        load_cifar10(tmp_path, "train")
    with pytest.raises(ValueError, match="split must be 'train' or 'test', not 'valid'"):
        load_cifar10(tmp_path, "valid")


@pytest.mark.parametrize("content", [b"", b"hello", bytes(3072), bytes(3073 * 10_001), b"\x0a" + bytes(3072)])
def test_damaged_files_are_refused(content: bytes, tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "test_batch.bin").write_bytes(content)
    with pytest.raises(FirstspikeError, match=r"test_batch.bin is no file of CIFAR-10's binary version"):
        load_cifar10(tmp_path, "test")


def test_another_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path, monkeypatch)
    monkeypatch.undo()
    with pytest.raises(FirstspikeError, match=r"is not the archive of CIFAR-10 \(MD5 .*; fetch it again"):
        load_cifar10(tmp_path, "test")


def test_an_archive_without_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(tmp_path / ARCHIVE, "w:gz") as archive:
        entry = tarfile.TarInfo(f"{FOLDER}/readme.html")
        archive.addfile(entry, io.BytesIO())
    digest = hashlib.md5((tmp_path / ARCHIVE).read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(data_cifar, "ARCHIVE_MD5", digest)
    with pytest.raises(FirstspikeError, match=r"cannot read .*test_batch.bin.*; fetch the file again"):
        load_cifar10(tmp_path, "test")
