"""NIR files, looked through before the nir package reads them: they may come from anyone.

A NIR file is HDF5, which can hold links to other files and sizes that no machine has. Both are refused.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from ...errors import FirstspikeError

__all__ = ["nir_package", "read_graph"]

LIMIT = 1 << 30
"""The most bytes that the arrays of a NIR file may take."""
DEPTH = 16
"""How deep its groups may be nested."""


def nir_package() -> Any:
    """The nir package. Raises FirstspikeError where it is missing or too old."""
    try:
        nir: Any = import_module("nir")
    except ModuleNotFoundError as error:
        if error.name not in ("nir", "h5py"):
            raise
        raise FirstspikeError("NIR needs the package nir: pip install 'firstspike[import]'") from error
    version = tuple(int(part) for part in str(nir.__version__).split(".")[:3] if part.isdigit())
    if version < (1, 0, 8):
        raise FirstspikeError(f"nir {nir.__version__} is too old: pip install 'nir>=1.0.8'")
    return nir


def read_graph(path: str | Path) -> Any:
    """The graph in a NIR file, as the nir package reads it, its types unchecked.

    Raises FirstspikeError where the file is missing, no NIR file, damaged, or asks for more than numbers.
    """
    nir, path = nir_package(), Path(path)
    if not path.is_file():
        raise FirstspikeError(f"there is no NIR file {path}; check the path")
    try:
        import h5py
        with h5py.File(path, "r") as file:
            if "node" not in file or "version" not in file:
                raise ValueError("it lacks 'node' or 'version'")
            _look_through(h5py, file, 0, 0)
        graph = nir.read(path, type_check=False)
    except Exception as error:  # what h5py and nir raise at damaged files is of any kind
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FirstspikeError(f"{path} cannot be read as a NIR file: {reason}; write it again with "
                              "nir.write()") from None
    if not isinstance(graph, nir.NIRGraph):
        raise FirstspikeError(f"{path} holds a single node ({type(graph).__name__}), and must hold a graph; "
                              "write it again with nir.write()")
    return graph


def _look_through(h5py: Any, group: Any, depth: int, taken: int) -> int:
    """The bytes that the arrays below ``group`` take, and ``taken``. Raises ValueError."""
    if depth > DEPTH:
        raise ValueError("its groups are nested too deeply")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{name!r} is a link to somewhere else")  # noqa: TRY004
        item = group[name]
        if isinstance(item, h5py.Group):
            kind = item.get("type") if depth else None
            if isinstance(kind, h5py.Dataset):
                _check_kind(h5py, name, kind)
            taken = _look_through(h5py, item, depth + 1, taken)
        else:
            if item.is_virtual or item.external:
                raise ValueError(f"{name!r} holds its numbers in another file")
            taken += item.nbytes
            if taken > LIMIT:
                raise ValueError(f"its arrays take more than {LIMIT} bytes")
    return taken


def _check_kind(h5py: Any, name: str, kind: Any) -> None:
    found = kind[()]
    text = found.decode() if isinstance(found, bytes) else str(found)
    nir = nir_package()
    if getattr(nir, text, None) is None:
        from .nir_nodes import TAKEN
        raise ValueError(f"{name} ({text}) is a node that nir {nir.__version__} does not know; "
                         f"taken are {TAKEN}")
