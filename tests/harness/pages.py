"""A page as a browser reads it."""

from html.parser import HTMLParser

__all__ = ["Page"]

VOID = {"meta", "img", "br", "input"}


class Page(HTMLParser):
    """The elements, texts and attributes of a page; every element that is opened is closed."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "table":
            self.tables.append([[""]])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())
        if {"th", "td", "caption"} & set(self.open):
            self.tables[-1][-1][-1] += data.strip()

    def rows(self, caption: str) -> list[list[str]]:
        """The cells of the one table of that caption, row by row, the headings first."""
        found, = (table[1:] for table in self.tables if table[0] == [caption])
        return found

    @property
    def text(self) -> str:
        return " ".join(text for text in self.texts if text)
