"""Which address lies in which bank."""

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Cat, Const, Value

from ..schedule import lookup

__all__ = ["Banks"]


@dataclass(frozen=True)
class Banks:
    """Addresses dealt out to banks, so that one spike of each can be worked on at the same time.

    A bank's addresses lie in its rows from 0 on, in ascending order. Without a table, address ``a`` lies in
    row ``a // banks`` of bank ``a % banks``: for a power of two these are wires. A table is logic, about a
    LUT a bit for every few addresses.

    Attributes
    ----------
    addresses : :class:`int`
    banks : :class:`int`
    table : tuple of :class:`int`, or None
        The bank of each address.

    Raises
    ------
    ValueError
        If there are more banks than addresses, or the table is not one bank for each address.
    """

    addresses: int
    banks: int
    table: tuple[int, ...] | None = None

    def __post_init__(self):
        if not isinstance(self.banks, int) or not 1 <= self.banks <= self.addresses:
            raise ValueError(
                f"Banks must be a positive integer, at most {self.addresses} (the addresses), "
                f"not {self.banks!r}")
        if self.table is None:
            return
        if len(self.table) != self.addresses:
            raise ValueError(f"A table of banks must have {self.addresses} entries, not {len(self.table)}")
        for address, bank in enumerate(self.table):
            if not isinstance(bank, int) or not 0 <= bank < self.banks:
                raise ValueError(
                    f"A bank must be an integer from 0 to {self.banks - 1}, not {bank!r} (address {address})")

    @cached_property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """The addresses of each bank, one a row."""
        table = self.table or [address % self.banks for address in range(self.addresses)]
        return tuple(tuple(address for address, bank in enumerate(table) if bank == one)
                     for one in range(self.banks))

    @cached_property
    def places(self) -> tuple[tuple[int, int], ...]:
        """Bank and row of each address."""
        places = {address: (bank, row) for bank, addresses in enumerate(self.members)
                  for row, address in enumerate(addresses)}
        return tuple(places[address] for address in range(self.addresses))

    @property
    def rows(self) -> int:
        """Rows of the largest bank."""
        return max(map(len, self.members))

    @property
    def _wires(self):
        """How many bits of an address are its bank, where that is all there is to it."""
        power = not self.banks & (self.banks - 1)
        return (self.banks - 1).bit_length() if power and self.table is None else None

    def bank_of(self, address) -> Value:
        """The bank of an address (combinational)."""
        if self._wires is not None:
            return Value.cast(address)[:self._wires]
        return lookup([bank for bank, _ in self.places], address)

    def row_of(self, address) -> Value:
        """The row of an address in its bank (combinational)."""
        if self._wires is not None:
            return Value.cast(address)[self._wires:]
        return lookup([row for _, row in self.places], address)

    def address_of(self, bank: int, row) -> Value:
        """The address in a row of a bank (combinational)."""
        width = (self.addresses - 1).bit_length()
        if self._wires is not None:
            return Cat(Const(bank, self._wires), row)[:width]
        members = self.members[bank] or (0,)
        return lookup([*members, *[members[-1]] * (self.rows - len(members))], row)[:width]
