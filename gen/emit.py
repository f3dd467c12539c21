"""From the core to files: Verilog, its ports and names as JSON, the ROMs as hex."""

from pathlib import Path

from amaranth.lib import data

from ..boards import tools
from ..network import Network
from ..rtl.core import Core
from ..rtl.event.layer import EventLayer
from ..rtl.readout import Result
from ..rtl.streams.token import Kind
from .neurons import lane_model

__all__ = ["FORMAT", "describe", "rom_layout", "to_verilog", "write_roms"]

FORMAT = 1


def to_verilog(core: Core) -> str:
    """Self-contained Verilog of module ``top``; the same text wherever and whenever it is made."""
    return tools.to_verilog(core, "top")


def describe(network: Network, core: Core) -> dict:
    """``top.json``: the ports, and where spikes and potentials are found in the design.

    All names are hierarchical, below the top module. A transfer of a stream takes place at a rising clock
    edge at which its ``valid`` and ``ready`` are high.
    """
    ports = {
        "spikes": _stream("spikes", core.spike_token) | {"addresses": network.input.used.tolist()},
        "levels": None,
        "result": _stream("result", Result(core.readout.token.addresses, core.readout.token.window)),
        "stop_early": "stop_early" if core.early_stop else None,
        "decided": "decided" if core.early_stop else None,
    }
    if core.encoder is not None:
        ports["levels"] = _names("levels") | {
            "width": core.encoder.levels.payload.shape().width, "count": network.input.size}
    return {
        "format": FORMAT, "top": "top", "clock": "clk", "reset": "rst", "ports": ports,
        "layers": [_layer(network, index, layer) for index, layer in enumerate(core.layers)],
    }


def _layer(network: Network, index: int, engine: EventLayer) -> dict:
    layer = network.layers[index]
    model = lane_model(network, layer)
    path = f"layer_{index}"
    columns = []
    for place, column in enumerate(engine.columns):
        folds = getattr(column, "folds", 1)
        columns.append({
            "potential": f"{path}.column_{place}.final", "width": model.neurons.width, "lanes": column.lanes,
            "fold": None if folds == 1 else f"{path}.column_{place}.final_fold",
            "first": column.base, "neurons": len(column.weights[0]),
            "lane_stride": folds, "fold_stride": 1,
        })
    return {
        "name": layer.name, "neurons": layer.size, "window": layer.window, "phase": layer.phase.value,
        "spikes": _stream(f"{path}.o", engine.token),
        "final": {"ended": f"{path}.ended", "columns": columns, "offset": model.offset.tolist()},
    }


def _names(stream: str) -> dict:
    return {part: f"{stream}__{part}" for part in ("payload", "valid", "ready")}


def _stream(stream: str, layout: data.StructLayout) -> dict:
    fields = {name: [field.offset, field.width] for name, field in layout}
    result = _names(stream) | {"fields": fields}
    if "kind" in fields:
        result["kinds"] = {kind.name: kind.value for kind in Kind}
    return result


def rom_layout(core: Core) -> list[dict]:
    """What each synapse ROM file holds.

    ``row``: a line's index is ``address * folds + fold``. ``bit``: bit ``lane`` of the line is 1 where the
    weight from ``address`` to neuron ``first + lane * folds + fold`` is +1.
    """
    layout = []
    for index, layer in enumerate(core.layers):
        for place, column in enumerate(layer.columns):
            layout.append({
                "file": f"rtl/rom/layer_{index}_column_{place}.hex", "layer": index,
                "rows": len(column.synapses.rows), "width": column.synapses.width,
                "folds": getattr(column, "folds", 1), "first": column.base,
                "neurons": len(column.weights[0]),
            })
    return layout


def write_roms(core: Core, folder: Path) -> None:
    """Write every synapse ROM as a hex file, one word a line, below the build folder."""
    columns = [column for layer in core.layers for column in layer.columns]
    for entry, column in zip(rom_layout(core), columns, strict=True):
        digits = -(-column.synapses.width // 4)
        path = folder / entry["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{row:0{digits}x}\n" for row in column.synapses.rows))
