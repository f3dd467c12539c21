"""Conversion of trained torch networks; see :mod:`.walk`."""
