"""The language of a convolutional network's stages."""

import pytest
from firstspike.quantize.train.stages import ConvStage, PoolStage, stages


def test_stages():
    assert stages("32x5, 64/2,max2,7x1/3,sum3") == (
        ConvStage(32, 5), ConvStage(64, 3, 2), PoolStage("max", 2), ConvStage(7, 1, 3), PoolStage("sum", 3))


@pytest.mark.parametrize(("text", "message"), [
    ("many", "^layers must be convolutions and poolings, as in 32x5,64/2,max2,64, not 'many'$"),
    ("", "^layers must be convolutions and poolings, as in 32x5,64/2,max2,64, not ''$"),
    ("5x4", "^layers must have 1 to 4096 channels, an odd kernel up to 31 and a stride from 1 to 8, "
            "not '5x4'$"),
    ("5,max1", "^layers must pool over 2 to 64 pixels, not 'max1'$"),
    ("5,max2,sum2", "^layers must have a convolution between two poolings, not 'sum2' after another$"),
    ("max2", "^layers must have at least one convolution, not 'max2'$"),
])
def test_refused(text, message):
    with pytest.raises(ValueError, match=message):
        stages(text)
