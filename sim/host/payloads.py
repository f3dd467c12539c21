"""Images and spikes as the payloads of frames."""

import numpy as np

from ...rtl.streams.token import Kind, Token
from .identity import Identity

__all__ = ["pack_levels", "pack_spikes"]


def pack_levels(identity: Identity, levels: np.ndarray) -> bytes:
    """The payload of an image.

    Parameters
    ----------
    levels : ndarray
        Integers below ``identity.levels``, shape ``(size,)``.
    """
    width = ((identity.levels - 1).bit_length() + 7) // 8 or 1
    return levels.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :width].tobytes()


def pack_spikes(identity: Identity, spikes: np.ndarray) -> bytes:
    """The payload of a window: its tokens, each in the fewest whole bytes.

    Parameters
    ----------
    spikes : ndarray
        The values, 0 where there is no spike: int64, shape ``(window, addresses)``.
    """
    layout = Token(identity.addresses, identity.window, value_bits=identity.value_bits)
    steps, addresses = np.nonzero(spikes)
    words = (addresses << layout["address"].offset) | (steps << layout["step"].offset)
    if identity.value_bits:
        words |= spikes[steps, addresses] << layout["value"].offset
    words |= Kind.SPIKE.value << layout["kind"].offset
    if identity.online:
        closed = np.unique(steps)
        ends = (closed << layout["step"].offset) | Kind.STEP.value << layout["kind"].offset
        order = np.argsort(np.concatenate([2 * steps, 2 * closed + 1]), kind="stable")
        words = np.concatenate([words, ends])[order]
    return words.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :(layout.size + 7) // 8].tobytes()
