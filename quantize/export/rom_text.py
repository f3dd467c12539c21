"""Memory images as text, in the forms that FPGA tools read: words of a width, one after the other.

========  ============================================================================================
format    where it is read
========  ============================================================================================
``hex``   ``$readmemh`` of any Verilog; a word a line
``coe``   Xilinx (Vivado, ISE): memory_initialization_vector
``mif``   Intel (Quartus): ADDRESS : DATA pairs
``mi``    Gowin (IP core generator): File_format=Hex
========  ============================================================================================
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["FORMATS", "read_words", "write_words"]


@dataclass(frozen=True)
class Format:
    """One form of memory image.

    Attributes
    ----------
    before, after : str
        What stands around the words, with {depth} and {width}.
    line : str
        A {word}, with its {address} and {end}.
    between, last : str
        The end of all lines but the last, and of the last.
    """

    before: str
    after: str = ""
    line: str = "{word}{end}\n"
    between: str = ""
    last: str = ""


FORMATS: Mapping[str, Format] = {
    "hex": Format(""),
    "coe": Format("memory_initialization_radix=16;\nmemory_initialization_vector=\n", between=",", last=";"),
    "mif": Format("DEPTH = {depth};\nWIDTH = {width};\nADDRESS_RADIX = HEX;\nDATA_RADIX = HEX;\n"
                  "CONTENT BEGIN\n", "END;\n", "{address:X} : {word}{end}\n", ";", ";"),
    "mi": Format("#File_format=Hex\n#Address_depth={depth}\n#Data_width={width}\n"),
}
"""The formats by their names, which are their files' suffixes too."""

_WORD = re.compile(r"[0-9A-F]+")


def write_words(format: str, bits: np.ndarray) -> str:
    """The text of a memory.

    Parameters
    ----------
    format : str
        One of `FORMATS`.
    bits : numpy.ndarray
        bool, shape ``(depth, width)``, the most significant bit of each word first.
    """
    form, (depth, width) = FORMATS[format], bits.shape
    digits = -(-width // 4)
    padded = np.zeros((depth, 8 * -(-width // 8)), bool)
    padded[:, padded.shape[1] - width:] = bits
    text = np.packbits(padded, axis=1).tobytes().hex().upper()
    step = padded.shape[1] // 4
    words = (text[at + step - digits:at + step] for at in range(0, len(text), step))
    lines = [_line(form, address, depth, word) for address, word in enumerate(words)]
    return "".join([form.before.format(depth=depth, width=width), *lines, form.after])


def _line(form: Format, address: int, depth: int, word: str) -> str:
    end = form.last if address == depth - 1 else form.between
    return form.line.format(word=word, address=address, end=end)


def read_words(format: str, text: str, depth: int, width: int) -> np.ndarray:
    """The bits that :func:`write_words` wrote.

    Parameters
    ----------
    format : str
        One of `FORMATS`.
    text : str
        Of the file.
    depth, width : int
        How many words of how many bits.

    Returns
    -------
    numpy.ndarray
        bool, shape ``(depth, width)``.

    Raises
    ------
    ValueError
        The text is another's, has another number of words, or a word that is too wide.
    """
    form = FORMATS[format]
    before = form.before.format(depth=depth, width=width)
    if not text.startswith(before) or not text.endswith(form.after):
        raise ValueError(f"it does not begin and end as a .{format} file of {depth} words of {width} bits")
    lines = text[len(before):len(text) - len(form.after)].splitlines()
    if len(lines) != depth:
        raise ValueError(f"it holds {len(lines)} words and not {depth}")
    digits = -(-width // 4)
    words = list(_words(form, lines, digits))
    even = digits + digits % 2
    packed = bytes.fromhex("".join(word.zfill(even) for word in words))
    bits = np.unpackbits(np.frombuffer(packed, np.uint8).reshape(depth, even // 2), axis=1).astype(bool)
    if bits[:, :bits.shape[1] - width].any():
        raise ValueError(f"a word has more than {width} bits")
    return bits[:, bits.shape[1] - width:]


def _words(form: Format, lines: list[str], digits: int) -> Iterable[str]:
    for address, line in enumerate(lines):
        begin, end = _line(form, address, len(lines), "\0").split("\0")
        word = f"{line}\n".removeprefix(begin).removesuffix(end)
        if f"{begin}{word}{end}" != f"{line}\n" or len(word) != digits or not _WORD.fullmatch(word):
            raise ValueError(f"word {address} is not of {digits} hexadecimal digits: {line[:40]!r}")
        yield word
