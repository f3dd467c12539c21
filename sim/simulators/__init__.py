"""The simulators: found, checked and set up without the user's help. :mod:`.registry` has them by name."""
