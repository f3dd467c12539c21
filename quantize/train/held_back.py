"""Training images that are held back to choose by."""

from dataclasses import replace
from pathlib import Path

from ...errors import FirstspikeError
from ..data.idx import Images

__all__ = ["held_back"]


def held_back(images: Images, count: int, folder: Path) -> tuple[Images, Images]:
    """The images to learn, and the last ``count``.

    Raises
    ------
    FirstspikeError
        The training set of ``folder`` has no more than these.
    """
    if count >= len(images):
        raise FirstspikeError(f"{folder} has {len(images)} training images, too few to hold back {count}: "
                              "give fewer for validation")
    return (replace(images, levels=images.levels[:-count], labels=images.labels[:-count]),
            replace(images, levels=images.levels[-count:], labels=images.labels[-count:]))
