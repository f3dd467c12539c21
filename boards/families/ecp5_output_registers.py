"""Flip-flops behind an ECP5's block RAM become the register that the block RAM has inside.

The output of a DP16KD comes 5.6 ns after the clock, that of its output register 1.0 ns after (speed grade 6,
Project Trellis). Yosys leaves the register out (its issue 5814); nextpnr times it and sets its bits (its pull
requests 423 and 789). So this step goes between the two, over Yosys' JSON netlist, and changes nothing that
the circuit does in any cycle::

    python3 -m firstspike.boards.families ecp5-output-registers core.json

The register takes the array's word at the port's clock edge where ``OCE`` is high, and is 0 at first (Lattice
FPGA-TN-02204, ECP5 memory usage guide). A port stays as it is unless

- it only reads, and neither it nor the flip-flops are ever reset (its reset clears array output and register
  in the same cycle, not one after the other);
- its clock enable is high, or the flip-flops' own, so that it does not matter whether it gates them too;
- each of its outputs goes to a flip-flop and nowhere else, or to nothing;
- these have the port's clock and edge, one enable, and start from 0.
"""

import json
from pathlib import Path

from ...errors import FirstspikeError
from ...files import write_whole

__all__ = ["absorb", "absorb_in_file"]

# TRELLIS_FF's defaults: Yosys writes a parameter only where it chose it.
_DEFAULTS = {"CEMUX": "1", "CLKMUX": "CLK", "GSR": "ENABLED", "LSRMODE": "LSR", "LSRMUX": "LSR",
             "REGSET": "RESET"}


def absorb_in_file(path: Path) -> int:
    """:func:`absorb` in every module of a netlist that Yosys wrote as JSON; returns how many ports changed.

    Raises
    ------
    FirstspikeError
        The file cannot be read or written, or is no netlist.
    """
    try:
        netlist = json.loads(path.read_text())
        changed = sum(absorb(module) for module in netlist["modules"].values())
        write_whole(path, json.dumps(netlist).encode())
    except OSError as error:
        raise FirstspikeError(f"cannot change {path}: {error.strerror}; check path and free space") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FirstspikeError(f"{path} is no netlist of Yosys' ({error}): synthesise again") from error
    return changed


def absorb(module: dict) -> int:
    """Move flip-flops into the block RAMs of a module, in place; returns how many ports took theirs in.

    A block RAM of 36 bits ("pseudo dual port") writes by port A and reads by port B, through the outputs of
    both; any other has two ports that are each for themselves.
    """
    cells, readers = module["cells"], _readers(module)
    changed, gone = 0, set()
    for ram in [cell for cell in cells.values() if cell["type"] == "DP16KD"]:
        wide = 36 in (int(ram["parameters"].get(f"DATA_WIDTH_{port}", "10010"), 2) for port in "AB")
        for ports in ("AB",) if wide else ("A", "B"):
            found = _flip_flops(cells, readers, ram, ports)
            if not found:
                continue
            changed += 1
            ram["connections"][f"OCE{ports[-1]}"] = [_enable(cells[next(iter(found.values()))])]
            ram["parameters"] |= {f"REGMODE_{port}": "OUTREG" for port in ports}
            for output, name in found.items():
                gone.update(ram["connections"][output])
                ram["connections"][output] = cells.pop(name)["connections"]["Q"]
    for net in module.get("netnames", {}).values():
        net["bits"] = ["x" if bit in gone else bit for bit in net["bits"]]
    return changed


def _readers(module: dict) -> dict[int, list[tuple[str, str]]]:
    """The (cell, pin) that read each net; one that leaves the module has ("", port)."""
    readers = {}
    for name, cell in module["cells"].items():
        for pin, bits in cell["connections"].items():
            if cell.get("port_directions", {}).get(pin) != "output":
                for bit in bits:
                    readers.setdefault(bit, []).append((name, pin))
    for name, port in module["ports"].items():
        for bit in port["bits"]:
            readers.setdefault(bit, []).append(("", name))
    return readers


def _flip_flops(cells: dict, readers: dict, ram: dict, ports: str) -> dict[str, str]:
    """The flip-flop that each output of a port can take in; empty where the port stays as it is.

    ``ports``: whose outputs they are; the last is the one that reads.
    """
    wires, told, port = ram["connections"], ram["parameters"], ports[-1]
    low = [f"WE{port}", *(f"RST{name}" for name in ports), *(f"CS{port}{n}" for n in range(3))]
    if any(wires.get(pin) != ["0"] for pin in low) or "OUTREG" in (
            told.get(f"REGMODE_{name}") for name in ports):
        return {}
    found = {}
    for output in (f"DO{name}{n}" for name in ports for n in range(18)):
        users = [user for bit in wires.get(output, ()) for user in readers.get(bit, ())]
        if not users:
            continue
        name, pin = users[0]
        if len(users) > 1 or pin != "DI" or not _plain(cells.get(name), ram, port):
            return {}
        found[output] = name
    enables = {_enable(cells[name]) for name in found.values()}
    if len(enables) != 1 or wires.get(f"CE{port}") not in (["1"], list(enables)):
        return {}
    return found


def _plain(cell: dict | None, ram: dict, port: str) -> bool:
    """Whether a cell is a flip-flop on a port's clock that starts from 0 and is never set or reset."""
    if cell is None or cell["type"] != "TRELLIS_FF" or "keep" in cell.get("attributes", {}):
        return False
    told = {name: _parameter(cell, name) for name in _DEFAULTS}
    edge = "INV" if ram["parameters"].get(f"CLK{port}MUX") == "INV" else "CLK"
    return (cell["connections"]["CLK"] == ram["connections"].get(f"CLK{port}")
            and cell["connections"].get("LSR", ["0"]) == ["0"]
            and told["CEMUX"] in ("1", "CE")
            and told | {"CEMUX": ""} == _DEFAULTS | {
                "CEMUX": "", "CLKMUX": edge, "GSR": ram["parameters"].get("GSR")})


def _parameter(cell: dict, name: str) -> str:
    return cell["parameters"].get(name, _DEFAULTS[name]).strip()    # Yosys pads "1" to "1 "


def _enable(cell: dict) -> int | str:
    """The net that enables a flip-flop, "1" where none does."""
    return cell["connections"]["CE"][0] if _parameter(cell, "CEMUX") == "CE" else "1"
