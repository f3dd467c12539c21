"""A network as one file: :mod:`.writing` makes it, :mod:`.reading` takes it; both know :mod:`.format`."""
