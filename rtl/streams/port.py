"""A stream of the top module, as others find it in the Verilog."""

from amaranth.hdl import Shape
from amaranth.lib import data

from ..description import StreamPort
from .token import Kind

__all__ = ["stream_port"]


def stream_port(name: str, layout: data.Layout | Shape) -> StreamPort:
    """Where the stream ``name`` of a component is found, with payloads of a layout or of plain bits."""
    plain = isinstance(layout, Shape)
    places = {} if plain else {part: (field.offset, field.width) for part, field in layout}
    width = layout.width if plain else layout.size
    return StreamPort(
        f"{name}__payload", f"{name}__valid", f"{name}__ready", width, places,
        {kind.name: kind.value for kind in Kind} if "kind" in places else {})
