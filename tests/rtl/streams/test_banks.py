"""Banks: each address has one place, and the circuits say the same as the tables."""

import pytest
from amaranth.hdl import Module, Signal
from firstspike.rtl.streams.banks import Banks
from harness.amaranth import simulate

SOME = [Banks(1, 1), Banks(7, 1), Banks(8, 2), Banks(11, 4), Banks(11, 3), Banks(5, 5), Banks(8, 8),
        Banks(6, 3, (2, 0, 0, 2, 0, 2)), Banks(6, 2, (1, 1, 1, 1, 1, 0)), Banks(4, 2, (0, 1, 0, 1))]


@pytest.mark.parametrize("banks", SOME, ids=str)
def test_each_address_has_one_place(banks):
    assert sorted(address for members in banks.members for address in members) == [*range(banks.addresses)]
    assert len(set(banks.places)) == banks.addresses
    assert banks.rows == 1 + max(row for _, row in banks.places)
    for address, (bank, row) in enumerate(banks.places):
        assert banks.members[bank][row] == address
        if banks.table is None:
            assert (bank, row) == (address % banks.banks, address // banks.banks)
        else:
            assert bank == banks.table[address]


@pytest.mark.parametrize("banks", SOME, ids=str)
def test_circuits(banks):
    m = Module()
    address, row, bank_of, row_of = Signal(4), Signal(4), Signal(4), Signal(4)
    back = [Signal(8, name=f"back_{bank}") for bank in range(banks.banks)]
    width = (banks.addresses - 1).bit_length()
    rows = (banks.rows - 1).bit_length()
    m.d.comb += [bank_of.eq(banks.bank_of(address[:width])), row_of.eq(banks.row_of(address[:width])),
                 *(one.eq(banks.address_of(bank, row[:rows])) for bank, one in enumerate(back))]

    async def testbench(ctx):
        for one, (bank, its_row) in enumerate(banks.places):
            ctx.set(address, one)
            ctx.set(row, its_row)
            assert (ctx.get(bank_of), ctx.get(row_of)) == (bank, its_row)
            assert ctx.get(back[bank]) == one

    simulate(m, testbench)


@pytest.mark.parametrize("arguments, message", [
    ((4, 0), "Banks must be a positive integer, at most 4 (the addresses), not 0"),
    ((4, 5), "Banks must be a positive integer, at most 4 (the addresses), not 5"),
    ((4, 2.0), "Banks must be a positive integer, at most 4 (the addresses), not 2.0"),
    ((4, 2, (0, 1, 0)), "A table of banks must have 4 entries, not 3"),
    ((4, 2, (0, 1, 2, 0)), "A bank must be an integer from 0 to 1, not 2 (address 2)"),
    ((4, 2, (0, -1, 1, 0)), "A bank must be an integer from 0 to 1, not -1 (address 1)"),
])
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError) as caught:
        Banks(*arguments)
    assert str(caught.value) == message
