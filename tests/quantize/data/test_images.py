"""Images from files: each kind comes in as it is, and what does not fit is refused with one sentence."""

import gzip
from dataclasses import replace

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.network import Dense, Direct, Input, Latency, Layer, Network, Spikes
from firstspike.quantize.data.images import InvertedImages, load_images, load_levels
from PIL import Image

LEVELS = np.random.default_rng(0).integers(0, 256, (5, 16)).astype(np.uint8)
LABELS = np.array([2, 0, 1, 1, 2], np.uint8)
SPIKES = np.random.default_rng(0).random((5, 4, 16)) < 0.3


def network(encoding=None, inputs=16, window=4, outputs=3, shape=None):
    encoding = encoding or Latency(np.arange(256) * window // 256)
    layer = Layer(Dense(np.ones((outputs, inputs), int)), window, threshold=3)
    return Network(Input(inputs, window, encoding, shape=shape), layer)


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
    assert np.array_equal(load_images(tmp_path / "wide.png", network(shape=(1, 2, 8))).images, LEVELS[:1])


def test_pngs_of_a_network_of_colours(tmp_path):
    """Channel by channel; a square that happens to have as many pixels is none of its images."""
    colours = np.random.default_rng(4).integers(0, 256, (3, 3, 4)).astype(np.uint8)
    Image.fromarray(colours.transpose(1, 2, 0)).save(tmp_path / "x.png")
    net = network(inputs=36, shape=(3, 3, 4))
    assert np.array_equal(load_images(tmp_path / "x.png", net).images, colours.reshape(1, 36))
    Image.fromarray(colours[0]).save(tmp_path / "x.png")
    assert np.array_equal(load_images(tmp_path / "x.png", net).images, np.tile(colours[0].ravel(), 3)[None])
    Image.fromarray(colours.reshape(6, 6)).save(tmp_path / "x.png")
    assert "is 6 by 6 pixels and must be 4 by 3, for 36 inputs; scale it first" in refusal(
        tmp_path / "x.png", net)
    assert "the network takes 4 channels, and a picture has 1 or 3; give a .npy" in refusal(
        tmp_path / "x.png", network(inputs=36, shape=(4, 3, 3)))


def test_a_folder_with_pictures_of_other_kinds(tmp_path):
    Image.fromarray(LEVELS[0].reshape(4, 4)).save(tmp_path / "a.png")
    Image.fromarray(LEVELS[1].reshape(4, 4)).save(tmp_path / "b.jpg")
    for read in (lambda: load_images(tmp_path, network()), lambda: load_levels(tmp_path)):
        with pytest.raises(FirstspikeError, match=r"b\.jpg is a JPEG picture; save it as PNG$"):
            read()
    (tmp_path / "b.jpg").write_bytes(b"")
    with pytest.raises(FirstspikeError, match=r"b\.jpg is no PNG; save it as one$"):
        load_levels(tmp_path)


@pytest.mark.parametrize(("name", "what"), [
    ("x.gif", "a GIF picture; save it as PNG"), ("x.jpg", "a JPEG picture; save it as PNG"),
    ("x.bmp", "a BMP picture; save it as PNG"), ("x.tif", "a TIFF picture; save it as PNG"),
    ("x.webp", "a WebP picture; save it as PNG")])
def test_pictures_of_other_kinds(tmp_path, name, what):
    Image.fromarray(LEVELS[0].reshape(4, 4)).save(tmp_path / name)
    assert refusal(tmp_path / name) == f"{tmp_path / name} is {what}"
    named_png = (tmp_path / name).rename(tmp_path / "x.png")
    assert refusal(named_png) == f"{named_png} is {what}"


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.png", "x-idx3-ubyte", "x-idx3-ubyte.gz"])
def test_what_git_lfs_left(tmp_path, name):
    (tmp_path / name).write_bytes(POINTER)
    assert refusal(tmp_path / name) == (f"{tmp_path / name} is a Git LFS pointer, not the file itself; fetch "
                                        "that with git lfs pull")


def test_what_git_lfs_left_in_a_folder(folder):
    (folder / "t10k-labels-idx1-ubyte").write_bytes(POINTER)
    assert "t10k-labels-idx1-ubyte is a Git LFS pointer" in refusal(folder)


def test_places_of_a_known_set(folder):
    """An IDX folder of 4 x 4 is nothing for a network of 2 x 8, though it has as many pixels."""
    assert len(load_images(folder, network(shape=(1, 4, 4)))) == 3
    assert "holds images of the shape 1 x 4 x 4, and the network takes 1 x 2 x 8 (channels, height, width)" \
        in refusal(folder, network(shape=(1, 2, 8)))
    assert "an image must have the shape (20,), not (16,)" in refusal(folder, network(inputs=20))


def test_negatives(tmp_path):
    """Turned where asked for; what looks like a negative is taken as it is, and that is said."""
    net = replace(network(), calibration={"mean_spikes": [3.0, 0.5]})
    table = net.input.encoding.table.copy()
    table[:20] = -1
    net = replace(net, input=Input(16, 4, Latency(table)))
    levels = np.where(np.random.default_rng(1).random((9, 16)) < 0.2, 255, 0).astype(np.uint8)
    np.save(tmp_path / "x.npy", levels)
    np.save(tmp_path / "y.npy", 255 - levels)
    assert np.array_equal(load_images(tmp_path / "x.npy", net).images, levels)
    with pytest.warns(InvertedImages, match=r"y\.npy' looks like the negative of what the network was "
                                            r"trained on: .*--invert \(invert=True\)"):
        assert np.array_equal(load_images(tmp_path / "y.npy", net).images, 255 - levels)
    assert np.array_equal(load_images(tmp_path / "y.npy", net, invert=True).images, levels)
    sixteen = network(Direct(16))
    np.save(tmp_path / "x.npy", levels % 16)
    assert np.array_equal(load_images(tmp_path / "x.npy", sixteen, invert=True).images, 15 - levels % 16)
    np.save(tmp_path / "x.npy", SPIKES)
    assert "holds spikes, which have no negative; leave out --invert" in refusal(
        tmp_path / "x.npy", network(Spikes(once=False)), invert=True)

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
