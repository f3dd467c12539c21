"""Spike data: recordings of events, read through tonic and put into steps.

=========================  =============================================================================
set                        what its folder holds
=========================  =============================================================================
N-MNIST                    ``Train/0`` to ``9``, each with ``*.bin``; ``Test`` likewise
DVS-Gesture                ``ibmGestureTrain/user*/*.npy``; ``ibmGestureTest`` likewise
Spiking Heidelberg Digits  ``shd_train.h5``, ``shd_test.h5``
=========================  =============================================================================

as their archives unpack, or as tonic lays them out (in a folder named after its class). Nothing is fetched
from anywhere.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FirstspikeError

__all__ = ["EVENT_SETS", "Recordings", "SpikeSet", "binned", "event_shape", "find_recordings", "load_events"]


@dataclass(frozen=True)
class Recordings:
    """A set of recordings.

    Attributes
    ----------
    name, home : str
        What it is called, and where it comes from.
    tonic : str
        The name of tonic's class.
    sensor : (width, height, polarities)
        What events come from.
    parts : dict
        By split, what its archive unpacks to.
    archives : dict
        By split, the archive's name and MD5.
    """

    name: str
    tonic: str
    home: str
    sensor: tuple[int, int, int]
    parts: dict[str, str]
    archives: dict[str, tuple[str, str]]


EVENT_SETS = (
    Recordings("N-MNIST", "NMNIST", "https://www.garrickorchard.com/datasets/n-mnist", (34, 34, 2),
               {"train": "Train", "test": "Test"},
               {"train": ("train.zip", "20959b8e626244a1b502305a9e6e2031"),
                "test": ("test.zip", "69ca8762b2fe404d9b9bad1103e97832")}),
    Recordings("DVS-Gesture", "DVSGesture", "https://research.ibm.com/dvsgesture", (128, 128, 2),
               {"train": "ibmGestureTrain", "test": "ibmGestureTest"},
               {"train": ("ibmGestureTrain.tar.gz", "3a8f0d4120a166bac7591f77409cb105"),
                "test": ("ibmGestureTest.tar.gz", "56070e45dadaa85fff82e0fbfbc06de5")}),
    Recordings("Spiking Heidelberg Digits", "SHD",
               "https://zenkelab.org/resources/spiking-heidelberg-datasets-shd/", (700, 1, 1),
               {"train": "shd_train.h5", "test": "shd_test.h5"},
               {"train": ("shd_train.h5.zip", "f3252aeb598ac776c1b526422d90eecb"),
                "test": ("shd_test.h5.zip", "1503a5064faa34311c398fb0a1ed0a6f")}),
)


@dataclass(frozen=True, eq=False)
class SpikeSet:
    """Spikes in steps.

    Attributes
    ----------
    spikes : array
        bool, shape ``(count, steps, size)``.
    labels : array
        int64, shape ``(count,)``.
    shape : (polarities, height, width)
        Of a step.
    name : str
        Of the set.
    """

    spikes: np.ndarray
    labels: np.ndarray
    shape: tuple[int, int, int]
    name: str

    def __len__(self) -> int:
        return len(self.labels)


def find_recordings(folder: str | Path) -> tuple[Recordings, Path] | None:
    """The set that ``folder`` holds, or a part or archive of it, and where; None where it holds none."""
    folder = Path(folder)
    for recordings in EVENT_SETS:
        for home in (folder, folder / recordings.tonic):
            names = [*recordings.parts.values(), *(name for name, _ in recordings.archives.values())]
            if any((home / name).exists() for name in names):
                return recordings, home
    return None


def event_shape(folder: str | Path, polarities: bool = True, shrink: int = 1) -> tuple[int, int, int]:
    """(polarities, height, width) of a step of the set in ``folder``, merged as :func:`binned` says.

    Raises
    ------
    FirstspikeError
        It holds none that is known.
    """
    return _shape(_known(folder)[0].sensor, polarities, shrink)


def _known(folder: str | Path) -> tuple[Recordings, Path]:
    found = find_recordings(folder)
    if found is None:
        homes = ", ".join(f"{recordings.name} ({recordings.home})" for recordings in EVENT_SETS)
        raise FirstspikeError(f"{folder} holds no recordings that are known: they are of {homes}")
    return found


def load_events(folder: str | Path, split: str, *, steps: int, duration: float | None = None,
                polarities: bool = True, shrink: int = 1, least: int = 1, once: bool = False,
                count: int | None = None) -> SpikeSet:
    """Recordings of one split ("train" or "test") as spikes in steps.

    Parameters
    ----------
    folder : path
        Of one of the sets above.
    split : str
        "train" or "test".
    count : int or None
        So many recordings, spread evenly over the set (which is sorted by class); None: all.
    steps, duration, polarities, shrink, least, once
        As for :func:`binned`.

    Raises
    ------
    FirstspikeError
        The set is missing or damaged, or tonic is not installed.
    ValueError
        An option is none of those above.
    """
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', not {split!r}")
    recordings, home = _known(folder)
    shape = _shape(recordings.sensor, polarities, shrink)
    _check(steps, least, duration)
    chosen: list[np.ndarray] = []
    labels: list[int] = []
    for events, label in _recordings(recordings, home, split, count):
        try:
            chosen.append(binned(events, recordings.sensor, steps=steps, duration=duration,
                                 polarities=polarities, shrink=shrink, least=least, once=once))
        except ValueError as error:
            raise FirstspikeError(f"{home / recordings.parts[split]} cannot be read as {recordings.name}: "
                                  f"{error} (recording {len(chosen)}); unpack its archive again") from None
        labels.append(label)
    return SpikeSet(np.stack(chosen), np.array(labels, np.int64), shape, recordings.name)


def binned(events: Any, sensor: tuple[int, int, int], *, steps: int, duration: float | None = None,
           polarities: bool = True, shrink: int = 1, least: int = 1, once: bool = False) -> np.ndarray:
    """The events of a recording as spikes: bool, ``(steps, size)``, in the order (polarity, row, column).

    Parameters
    ----------
    events : structured array
        With ``t`` and ``x``, and ``y`` and ``p`` where there are such.
    sensor : (width, height, polarities)
        What the events come from.
    steps : int
        Into how many steps the recording is divided, of the same length.
    duration : float or None
        Of all of them, in the unit of ``t``, from the first event on; later events are left out. None: up to
        the last event.
    polarities : bool
        Whether each polarity has addresses of its own.
    shrink : int
        So many columns, and rows, become one.
    least : int
        How many events of an address make a spike in a step.
    once : bool
        Whether only the first spike of an address counts.

    Raises
    ------
    ValueError
        An option is out of range, or an event is outside the sensor.
    """
    width, height, signs = sensor
    _check(steps, least, duration)
    shape = _shape(sensor, polarities, shrink)
    times = np.asarray(events["t"], np.int64)
    names = events.dtype.names
    column = np.asarray(events["x"], np.int64)
    row = np.asarray(events["y"], np.int64) if "y" in names else np.zeros_like(column)
    sign = np.asarray(events["p"], np.int64) if "p" in names and signs > 1 else np.zeros_like(column)
    for name, value, limit in (("column", column, width), ("row", row, height), ("polarity", sign, signs)):
        if len(value) and (value.min() < 0 or value.max() >= limit):
            raise ValueError(f"an event's {name} must be from 0 to {limit - 1}, "
                             f"not {value.min()} to {value.max()}")
    counts = np.zeros((steps, shape[0], height, width), np.int64)
    if len(times):
        since = times - times.min()
        length = float(since.max() + 1) if duration is None else duration
        inside = since < length
        step = np.minimum((since[inside] * steps / length).astype(np.int64), steps - 1)
        place = (step, sign[inside] if polarities else np.zeros_like(step), row[inside], column[inside])
        np.add.at(counts, place, 1)
    rows, columns = shape[1], shape[2]
    tall, wide = (1, shrink) if height == 1 else (shrink, shrink)
    cut = counts[:, :, :rows * tall, :columns * wide]
    cells = cut.reshape(steps, shape[0], rows, tall, columns, wide).sum(axis=(3, 5))
    spikes = cells.reshape(steps, -1) >= least
    if once:
        spikes &= spikes.cumsum(axis=0) == 1
    return spikes


def _check(steps: int, least: int, duration: float | None) -> None:
    for name, value in (("steps", steps), ("least", least)):
        if value < 1:
            raise ValueError(f"{name} must be a positive integer, not {value}")
    if duration is not None and not duration > 0:
        raise ValueError(f"duration must be above 0, not {duration}")


def _shape(sensor: tuple[int, int, int], polarities: bool, shrink: int) -> tuple[int, int, int]:
    width, height, signs = sensor
    if not 1 <= shrink <= max(width, height):
        raise ValueError(f"shrink must be from 1 to {max(width, height)}, not {shrink}")
    return signs if polarities else 1, max(1, height // shrink), max(1, width // shrink)


def _recordings(recordings: Recordings, home: Path, split: str,
                count: int | None) -> Iterator[tuple[Any, int]]:
    """Events and class of each recording, or of ``count`` spread over the set."""
    place = home / recordings.parts[split]
    archive, digest = recordings.archives[split]
    if not place.exists():
        if not (home / archive).is_file():
            raise FirstspikeError(f"{home} lacks {recordings.parts[split]} of {recordings.name} (or "
                                  f"{archive}), which is at {recordings.home}")
        with (home / archive).open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if found != digest:
            raise FirstspikeError(f"{home / archive} is not the one of {recordings.name} (MD5 {found} "
                                  f"instead of {digest}); fetch it again from {recordings.home}")
        raise FirstspikeError(f"{home / archive} is whole and still packed; unpack it where it lies")
    try:
        tonic: Any = import_module("tonic")
    except ModuleNotFoundError as error:
        raise FirstspikeError("spike data needs the package tonic: pip install 'firstspike[data]'") from error

    def here(self: Any) -> bool:
        """Never look for the archive, nor fetch it: the files are where they are."""
        self.location_on_system = str(home)
        return True

    kind = getattr(tonic.datasets, recordings.tonic)
    try:
        data = type(kind.__name__, (kind,), {"_check_exists": here})(str(home), train=split == "train")
        total = len(data)
        if total == 0:
            raise ValueError("it holds no recordings")
        if count is not None and not 1 <= count <= total:
            raise FirstspikeError(f"{place} holds {total} recordings, not the {count} that were asked for; "
                                  "ask for fewer")
        indices = np.arange(total) if count is None else np.linspace(0, total - 1, count).round().astype(int)
        for index in indices:
            events, label = data[int(index)]
            yield events, int(label)
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        raise FirstspikeError(f"{place} cannot be read as {recordings.name}: {error}; "
                              f"unpack {archive} again") from None
