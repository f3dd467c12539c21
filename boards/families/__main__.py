"""Runs a family's step between its tools: ``python3 -m firstspike.boards.families STEP FILE ...``."""

import sys
from pathlib import Path

from ...errors import FirstspikeError
from . import FAMILIES

__all__ = ["main"]


def main() -> None:
    """Change the files that the command line names by the step that it names first."""
    steps = {step.name: step for family in FAMILIES.values() if family.toolchain
             for step in family.toolchain.after_synthesis}
    if len(sys.argv) < 3 or sys.argv[1] not in steps:
        sys.exit(f"say which step, and the files that it is to change; the steps are {', '.join(steps)}")
    try:
        for name in sys.argv[2:]:
            print(f"{name}: {steps[sys.argv[1]].change(Path(name))} changes")
    except FirstspikeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
