"""Images from files: each kind comes in as it is, and what does not fit is refused with one sentence."""

import gzip
import io
import zipfile

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.network import Dense, Direct, Input, Latency, Layer, Network, Spikes
from firstspike.quantize.data.images import load_images
from PIL import Image

LEVELS = np.random.default_rng(0).integers(0, 256, (5, 16)).astype(np.uint8)
LABELS = np.array([2, 0, 1, 1, 2], np.uint8)
SPIKES = np.random.default_rng(0).random((5, 4, 16)) < 0.3


def network(encoding=None, inputs=16, window=4, outputs=3):
    encoding = encoding or Latency(np.arange(256) * window // 256)
    layer = Layer(Dense(np.ones((outputs, inputs), int)), window, threshold=3)
    return Network(Input(inputs, window, encoding), layer)


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def refusal(path, net=None, **arguments):
    with pytest.raises(FirstspikeError) as refused:
        load_images(path, net or network(), **arguments)
    sentence = str(refused.value)
    assert "\n" not in sentence and str(path) in sentence
    return sentence


@pytest.fixture
def folder(tmp_path):
    for split, part in (("t10k", slice(0, 3)), ("train", slice(3, 5))):
        images = gzip.compress(idx(LEVELS[part].reshape(-1, 4, 4)))
        (tmp_path / f"{split}-images-idx3-ubyte.gz").write_bytes(images)
        (tmp_path / f"{split}-labels-idx1-ubyte").write_bytes(idx(LABELS[part]))
    return tmp_path


def test_idx_folder(folder):
    data = load_images(folder, network())
    assert np.array_equal(data.images, LEVELS[:3]) and data.labels.tolist() == [2, 0, 1] and len(data) == 3
    assert data.labels.dtype == np.int64
    data = load_images(str(folder), network(), split="train", count=1)
    assert np.array_equal(data.images, LEVELS[3:4]) and data.labels.tolist() == [1]


def test_mnist_itself(mnist):
    data = load_images(mnist, network(inputs=784, outputs=10), count=20)
    assert data.images.shape == (20, 784) and data.labels.tolist()[:5] == [7, 2, 1, 0, 4]


def test_one_idx_file_with_labels_beside(folder):
    data = load_images(folder / "t10k-images-idx3-ubyte.gz", network(),
                       labels=folder / "t10k-labels-idx1-ubyte")
    assert np.array_equal(data.images, LEVELS[:3]) and data.labels.tolist() == [2, 0, 1]


@pytest.mark.parametrize("array", [
    LEVELS, LEVELS.reshape(5, 4, 4), LEVELS.astype(np.int64), np.asfortranarray(LEVELS)])
def test_levels_in_npy(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    data = load_images(tmp_path / "x.npy", network())
    assert np.array_equal(data.images, LEVELS) and data.labels is None
    assert not isinstance(data.images, np.memmap)


@pytest.mark.parametrize("array", [LEVELS[0], LEVELS[0].reshape(4, 4), LEVELS[:1].reshape(1, 4, 4)])
def test_one_image_in_npy(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    assert np.array_equal(load_images(tmp_path / "x.npy", network()).images, LEVELS[:1])


@pytest.mark.parametrize("array", [SPIKES, SPIKES.astype(np.uint8), SPIKES.reshape(5, 4, 4, 4)])
def test_spikes_in_npy(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    net = network(Spikes(once=False))
    data = load_images(tmp_path / "x.npy", net)
    assert np.array_equal(data.images, SPIKES) and data.images.dtype == bool
    np.save(tmp_path / "x.npy", array[0])
    assert np.array_equal(load_images(tmp_path / "x.npy", net).images, SPIKES[:1])


def test_labels_in_npy(tmp_path):
    np.save(tmp_path / "x.npy", LEVELS)
    np.save(tmp_path / "y.npy", LABELS)
    data = load_images(tmp_path / "x.npy", network(), labels=tmp_path / "y.npy", count=2)
    assert data.labels.tolist() == [2, 0] and len(data) == 2


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path, save):
    save(tmp_path / "x.npz", images=LEVELS, labels=LABELS, indices=np.arange(5))
    data = load_images(tmp_path / "x.npz", network())
    assert np.array_equal(data.images, LEVELS) and data.labels.tolist() == LABELS.tolist()
    save(tmp_path / "x.npz", images=np.asfortranarray(LEVELS))
    data = load_images(tmp_path / "x.npz", network())
    assert np.array_equal(data.images, LEVELS) and data.labels is None


def test_pngs(tmp_path):
    for place, levels in enumerate(LEVELS):
        Image.fromarray(levels.reshape(4, 4)).save(tmp_path / f"digit{place}.png")
    assert np.array_equal(load_images(tmp_path, network()).images, LEVELS)
    assert np.array_equal(load_images(tmp_path / "digit2.png", network()).images, LEVELS[2:3])
    Image.fromarray(LEVELS[0].reshape(4, 4)).convert("RGB").save(tmp_path / "digit0.PNG")
    assert np.array_equal(load_images(tmp_path / "digit0.PNG", network()).images, LEVELS[:1])
    Image.fromarray(LEVELS[0].reshape(2, 8)).save(tmp_path / "wide.png")
    assert np.array_equal(load_images(tmp_path / "wide.png", network(), shape=(2, 8)).images, LEVELS[:1])


def test_a_count_beyond_what_is_there(folder):
    assert "holds 3 images, not the 4 that were asked for; ask for fewer" in refusal(folder, count=4)
    for count in (0, -1):
        with pytest.raises(ValueError, match=f"^count must be a positive integer, not {count}$"):
            load_images(folder, network(), count=count)
    with pytest.raises(ValueError, match=r"^split must be 'test' or 'train', not 't10k'$"):
        load_images(folder, network(), split="t10k")


def test_refuses_what_is_not_there(tmp_path, folder):
    assert "there are no images at" in refusal(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "holds neither IDX files nor PNGs, CIFAR-10 or spike data" in refusal(tmp_path / "empty")
    (folder / "t10k-labels-idx1-ubyte").unlink()
    assert "lacks t10k-labels-idx1-ubyte" in refusal(folder)


def test_refuses_what_does_not_fit(tmp_path):
    path = tmp_path / "x.npy"
    for array, net, what in [
        (LEVELS, network(inputs=9), "an image must have the shape (9,), not (16,)"),
        (LEVELS, network(Direct(16)), "a level must be from 0 to 15, not "),
        (LEVELS.astype(float), network(), "an image must be made of integers, not of float64"),
        (LEVELS - np.int64(300), network(), "a level must be from 0 to 255, not -"),
        (np.zeros((0, 16), int), network(), "there must be at least one image, not none"),
        (np.array(3), network(), "an image must have the shape (16,)"),
        (LEVELS, network(Spikes()), "spikes must be an array of bool, not of uint8"),
        (SPIKES, network(), "an image must be made of integers, not of bool"),
        (SPIKES[:, :3], network(Spikes()),
         "spikes must have the shape (steps, inputs) = (4, 16) for each image, not (3, 16)"),
        (np.ones((2, 4, 16), bool), network(Spikes()),
         "an input must spike at most once in a window, not 4 times"),
    ]:
        np.save(path, array)
        sentence = refusal(path, net)
        assert what in sentence and sentence.endswith("; give images of the kind that it was trained on")


@pytest.mark.parametrize("labels, what", [
    (LABELS[:4], "holds 4 labels for 5 images; take both from the same set"),
    (LABELS.astype(float), "must be integers, one for each image, not float64 of shape (5,); check the file"),
    (LABELS[:, None], "must be integers, one for each image, not uint8 of shape (5, 1); check the file"),
    (LABELS + 1, "go from 1 to 3, and the network has 3 outputs; take the set that it was trained on"),
    (LABELS.astype(int) - 1, "go from -1 to 1, and the network has 3 outputs; take the set"),
])
def test_refuses_labels(tmp_path, labels, what):
    np.savez(tmp_path / "x.npz", images=LEVELS, labels=labels)
    assert what in refusal(tmp_path / "x.npz")


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
    archive = io.BytesIO()
    np.savez(archive, images=LEVELS)
    for data in (good[:-1], good[:60], good[:3], b"", b"\x80\x04N.", pickled,
                 header((1 << 50, 16)) + b"x" * 16, header((-1, 16)), archive.getvalue()):
        path.write_bytes(data)
        assert "cannot be read as a numpy array: " in refusal(path), data[:20]


def test_refuses_damaged_archives(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, images=LEVELS)
    good = path.read_bytes()
    for data in (good[:-5], good[:50], b"", b"PK\3\4", good.replace(b"images", b"imagez", 1)):
        path.write_bytes(data)
        assert "cannot be read as numpy arrays: " in refusal(path), data[:20]
    np.savez(path, pictures=LEVELS)
    assert "holds no array 'images'" in refusal(path)
    np.savez(path, images=np.array([{"a": 1}], object))
    assert "its header asks for" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", header((1 << 50, 16)) + b"x" * 16)
    assert f"its header asks for ({1 << 50}, 16) of uint8, which it does not hold" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", b"nothing")
    assert "cannot be read as numpy arrays: " in refusal(path)


def test_refuses_pngs(tmp_path):
    path = tmp_path / "x.png"
    Image.fromarray(np.zeros((5, 3), np.uint8)).save(path)
    assert "is 3 by 5 pixels and must be 4 by 4, for 16 inputs; scale it first" in refusal(path)
    assert "is 3 by 5 pixels and must be 3 by 5, for 16 inputs" in refusal(path, shape=(5, 3))
    assert "the 17 inputs of the network make no square image; give a .npy" in refusal(
        path, network(inputs=17))
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(path)
    assert "has pixels of the kind I;16; save it with 8 bits" in refusal(path)
    Image.fromarray(LEVELS[0].reshape(4, 4)).save(path)
    good = path.read_bytes()
    for data in (good[:30], good[:50], b"", b"GIF89a" + good):
        path.write_bytes(data)
        assert "cannot be read as a PNG: " in refusal(path)
    image = io.BytesIO()
    Image.fromarray(LEVELS[0].reshape(4, 4)).save(image, "BMP")
    path.write_bytes(image.getvalue())
    assert "cannot be read as a PNG: " in refusal(path)
