"""The one exception that a user of files and commands meets, and the text that it may show."""

__all__ = ["FirstspikeError", "printable"]


def printable(text: object) -> str:
    """``text`` with nothing in it that a terminal, a log or an XML file would act on.

    Control characters (the ESC of a colour, a newline), marks that turn the direction of writing, and what is
    no valid Unicode stand there as Python writes them: ``\\x1b``, ``\\n``, ``\\u202e``. What comes out of a
    file passes through here before it is printed; it makes one line of anything.
    """
    return "".join(character if character.isprintable() else ascii(character)[1:-1]
                   for character in str(text))


class FirstspikeError(Exception):
    """Something outside the program is wrong: a file, a folder, a tool, a size.

    The message is one clear sentence, of printable characters alone, that names the thing, what is wrong with
    it and the remedy. The command line prints it and exits with code 2; nothing half-written is left behind.
    """

    def __init__(self, sentence: object = ""):
        super().__init__(printable(sentence))
