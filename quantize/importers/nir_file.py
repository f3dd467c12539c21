"""NIR files, looked through before the nir package reads them: they may come from anyone.

A NIR file is HDF5, which can hold links to other files and sizes that no machine has. Both are refused.
"""

from dataclasses import MISSING, fields
from importlib import import_module
from pathlib import Path
from typing import Any

from ...errors import FirstspikeError
from .nir_nodes import TAKEN

__all__ = ["nir_package", "read_graph"]

LIMIT = 1 << 30
"""The most bytes that the arrays of a NIR file may take."""
OPTIONAL = ("input_shape", "input_type", "v_reset")
"""What a node in a file may lack."""
DEPTH = 16
"""How deep its groups may be nested."""
NEWEST = 1
"""The highest version of the format that is known, by its first number."""


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
    """The graph in a NIR file, as the nir package reads it; its shapes are checked where it is taken apart.

    Parameters
    ----------
    path : path
        The file.

    Raises
    ------
    FirstspikeError
        The file is missing, no NIR file, of an unknown version, damaged, or asks for more than numbers.
    """
    nir, path = nir_package(), Path(path)
    if not path.is_file():
        raise FirstspikeError(f"there is no NIR file {path}; check the path")
    try:
        import h5py
        with h5py.File(path, "r") as file:
            if "node" not in file or "version" not in file:
                raise ValueError("it lacks 'node' or 'version'")
            _check_version(file["version"])
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
            kind = item.get("type") if name != "metadata" else None
            if isinstance(kind, h5py.Dataset):
                _check_kind(name, item, _text(kind))
            taken = _look_through(h5py, item, depth + 1, taken)
        else:
            if item.is_virtual or item.external:
                raise ValueError(f"{name!r} holds its numbers in another file")
            taken += item.nbytes
            if taken > LIMIT:
                raise ValueError(f"its arrays take more than {LIMIT} bytes")
    return taken


def _text(item: Any) -> str:
    found = item[()]
    return found.decode() if isinstance(found, bytes) else str(found)


def _check_version(item: Any) -> None:
    version = _text(item)
    first = version.partition(".")[0]
    if not first.isdecimal() or int(first) > NEWEST:
        raise ValueError(f"it is of version {version[:20]!r}, and versions to {NEWEST} are known")


def _check_kind(name: str, group: Any, kind: str) -> None:
    """ValueError where a node is of no kind that the nir package knows, or lacks what its kind needs."""
    nir = nir_package()
    known = getattr(nir, kind, None)
    if not isinstance(known, type) or not issubclass(known, nir.NIRNode):
        raise ValueError(f"{name} ({kind}) is a node that nir "  # noqa: TRY004
                         f"{nir.__version__} does not know; taken are {TAKEN}")
    if known in (nir.Input, nir.Output):
        needed = ["shape"]
    else:
        needed = [field.name for field in fields(known) if field.init and field.default is MISSING
                  and field.default_factory is MISSING and field.name not in OPTIONAL]
    for field in needed:
        if field not in group:
            raise ValueError(f"{name} ({kind}) has no {field}; give it one")
