"""The one exception that a user of files and commands meets."""

from .printable import printable

__all__ = ["FirstspikeError"]


class FirstspikeError(Exception):
    """Something outside the program is wrong: a file, a folder, a tool, a size.

    The message is one clear sentence, of printable characters alone, that names the thing, what is wrong with
    it and the remedy. The command line prints it and exits with code 2; nothing half-written is left behind.
    """

    def __init__(self, sentence: object = ""):
        super().__init__(printable(sentence))
