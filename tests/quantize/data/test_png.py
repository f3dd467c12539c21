"""PNGs as levels: what their pixels say, and what is refused because they do not say it."""

import io

import numpy as np
import pytest
from firstspike.errors import FirstspikeError
from firstspike.quantize.data.png import read_png
from PIL import Image

STROKE = np.zeros((4, 4), np.uint8)
STROKE[1:3, 2] = 255


def picture(mode):
    """A white stroke; on transparent ground where the mode has such."""
    if mode == "RGBA":
        return Image.fromarray(np.stack([np.full_like(STROKE, 255)] * 3 + [STROKE], axis=2))
    if mode == "LA":
        return Image.fromarray(np.stack([np.full_like(STROKE, 255), STROKE], axis=2))
    if mode == "P":
        made = Image.fromarray((STROKE > 0).astype(np.uint8)).convert("P")
        made.putpalette([255, 255, 255, 255, 255, 255])
        made.info["transparency"] = bytes([0, 255])
        return made
    made = Image.fromarray(STROKE).convert(mode)
    made.info["transparency"] = (0, 0, 0) if mode == "RGB" else 0
    return made


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "RGB", "1"])
def test_transparency_is_refused(tmp_path, mode):
    """White strokes on nothing are no white picture."""
    path = tmp_path / "x.png"
    picture(mode).save(path)
    with Image.open(path) as image:
        assert image.has_transparency_data
    with pytest.raises(FirstspikeError) as refused:
        read_png(path)
    assert str(refused.value) == (
        f"{path} has pixels that are not opaque, and the file does not say what is behind them; save it "
        "without transparency, on the ground that the network knows (black, for MNIST)")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "RGB", "1"])
def test_opaque_pixels_are_taken_in_every_form(tmp_path, mode):
    Image.fromarray(STROKE).convert(mode).save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_png(tmp_path / "x.png"), STROKE)


def test_colours(tmp_path):
    colours = np.random.default_rng(1).integers(0, 256, (3, 4, 5)).astype(np.uint8)
    Image.fromarray(colours.transpose(1, 2, 0)).save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_png(tmp_path / "x.png", 3), colours)
    brightness = read_png(tmp_path / "x.png")
    weighted = np.tensordot([0.299, 0.587, 0.114], colours.astype(float), 1)
    np.testing.assert_allclose(brightness, weighted, atol=1)  # Pillow rounds
    Image.fromarray(colours[0]).save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_png(tmp_path / "x.png", 3), np.stack([colours[0]] * 3))


def test_several_frames_are_refused(tmp_path):
    frames = [Image.fromarray(STROKE), Image.fromarray(255 - STROKE)]
    frames[0].save(tmp_path / "x.png", save_all=True, append_images=frames[1:])
    with pytest.raises(FirstspikeError, match=r"x\.png has several frames; save the one to take as a PNG"):
        read_png(tmp_path / "x.png")


def test_refused(tmp_path):
    path = tmp_path / "x.png"

    def refusal(fits=lambda shape: True):
        with pytest.raises(FirstspikeError) as refused:
            read_png(path, 1, fits, "4 by 4, for 16 inputs")
        assert str(path) in str(refused.value) and "\n" not in str(refused.value)
        return str(refused.value)

    Image.fromarray(np.zeros((5, 3), np.uint8)).save(path)
    assert "is 3 by 5 pixels and must be 4 by 4, for 16 inputs; scale it first" in refusal(
        lambda shape: shape == (4, 4))
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(path)
    assert "has pixels of the kind I;16; save it with 8 bits" in refusal()
    Image.fromarray(STROKE).save(path)
    good = path.read_bytes()
    for data in (good[:30], good[:50], b""):
        path.write_bytes(data)
        assert "cannot be read as a PNG: " in refusal()
    image = io.BytesIO()
    Image.fromarray(STROKE).save(image, "BMP")
    path.write_bytes(image.getvalue())
    assert refusal().endswith("x.png is a BMP picture; save it as PNG")
