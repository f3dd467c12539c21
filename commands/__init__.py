"""The commands of ``firstspike``, one file a family; :mod:`firstspike.cli` collects them."""
