"""Small made images to train on."""

import gzip
import struct

import numpy as np
import pytest


@pytest.fixture(scope="session")
def quarters(tmp_path_factory):
    """Four kinds of 6 x 6 images: a bright quarter, the rest dim, all of it noisy."""
    made = tmp_path_factory.mktemp("quarters")
    generator = np.random.default_rng(7)
    for split, count in (("train", 240), ("t10k", 60)):
        labels = generator.integers(0, 4, count).astype(np.uint8)
        images = generator.integers(0, 110, (count, 6, 6)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            row, column = 3 * (label // 2), 3 * (label % 2)
            image[row:row + 3, column:column + 3] += 120
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (made / f"{split}-{name}-ubyte.gz").write_bytes(gzip.compress(header + array.tobytes()))
    return made
