"""A stream of the top module, as others find it in the Verilog."""

from amaranth.hdl import Shape
from amaranth.lib import data

from ..description import Lane, Place, StreamPort
from .token import Kind, Token

__all__ = ["stream_port"]


def stream_port(name: str, layout: data.StructLayout | Shape) -> StreamPort:
    """Where the stream ``name`` of a component is found, with payloads of a layout or of plain bits."""
    if isinstance(layout, Shape):
        return StreamPort(*_names(name), layout.width, {}, {})
    several = isinstance(layout, Token) and layout.lanes > 1
    fields = {part: (field.offset, field.width) for part, field in layout
              if not (several and part == "spikes")}
    kinds = {kind.name: kind.value for kind in Kind} if "kind" in fields else {}
    return StreamPort(*_names(name), layout.size, fields, kinds, _lanes(layout) if several else ())


def _names(name: str) -> tuple[str, str, str]:
    return f"{name}__payload", f"{name}__valid", f"{name}__ready"


def _lanes(token: Token) -> tuple[Lane, ...]:
    spikes = token["spikes"]
    lanes = []
    for place in range(token.lanes):
        one = spikes.shape[place]
        start = spikes.offset + one.offset

        def at(part: str, spike=one.shape, start=start) -> Place:
            return start + spike[part].offset, spike[part].width

        own = at("step")
        lanes.append(Lane(at("valid"), at("address"), at("value"), own if own[1] else None,
                          None if token.banks is None else token.banks.members[place]))
    return tuple(lanes)
