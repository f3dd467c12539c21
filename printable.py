"""Texts from outside (names of files, of layers, of tools) as they can be shown."""

__all__ = ["printable"]


def printable(text: object) -> str:
    """``text`` with nothing in it that a terminal, a log or an XML file would act on, in one line.

    Control characters (the ESC of a colour, a newline), marks that turn the direction of writing, and what is
    no valid Unicode stand there as Python writes them: ``\\x1b``, ``\\n``, ``\\u202e``. What comes out of a
    file passes through here before it is printed.
    """
    return "".join(character if character.isprintable() else ascii(character)[1:-1]
                   for character in str(text))
