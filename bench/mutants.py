"""Small changes to a circuit's source text, as someone might make them by mistake."""

import ast
import hashlib
from dataclasses import dataclass

__all__ = ["Mutant", "all_mutants", "one_a_line"]

OPERATORS = {
    ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"), ast.BitXor: ("^", "|"), ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"), ast.And: ("and", "or"), ast.Or: ("or", "and"),
}
METHODS = {"any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """One change: characters ``start`` to ``end`` of the text become ``new``."""

    line: int
    start: int
    end: int
    new: str
    text: str

    def apply(self, source: str) -> str:
        """The source with the change."""
        return source[:self.start] + self.new + source[self.end:]

    def change(self, source: str) -> str:
        """The line with the change, for a reader."""
        before = source.rfind("\n", 0, self.start) + 1
        after = source.find("\n", self.end)
        return (source[before:self.start] + self.new + source[self.end:after]).strip()


class _Finder(ast.NodeVisitor):
    """Walks the code, but for annotations, imports, docstrings and the text of messages."""

    def __init__(self, source: str):
        self.source = source
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line.encode()))
        self.bytes = source.encode()
        self.found: list[Mutant] = []

    def place(self, line: int, column: int) -> int:
        return len(self.bytes[:self.starts[line - 1] + column].decode())

    def span(self, node) -> tuple[int, int]:
        return self.place(node.lineno, node.col_offset), self.place(node.end_lineno, node.end_col_offset)

    def add(self, start: int, end: int, new: str) -> None:
        line = self.source.count("\n", 0, start) + 1
        first = self.source.rfind("\n", 0, start) + 1
        last = self.source.find("\n", start)
        self.found.append(Mutant(line, start, end, new, self.source[first:last].strip()))

    def between(self, left, right, operator) -> None:
        """The operator between two operands becomes its opposite."""
        if type(operator) not in OPERATORS:
            return
        old, new = OPERATORS[type(operator)]
        start = self.source.find(old, self.span(left)[1], self.span(right)[0])
        if start >= 0:
            self.add(start, start + len(old), new)

    def visit_BinOp(self, node):
        self.between(node.left, node.right, node.op)
        if isinstance(node.op, ast.BitAnd | ast.BitOr):     # one side is forgotten
            for kept in (node.left, node.right):
                start, end = self.span(kept)
                self.add(*self.span(node), f"({self.source[start:end]})")
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        for left, right in zip(node.values, node.values[1:], strict=False):
            self.between(left, right, node.op)
        self.generic_visit(node)

    def visit_Compare(self, node):
        for left, operator, right in zip([node.left, *node.comparators], node.ops, node.comparators,
                                         strict=False):
            self.between(left, right, operator)
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.Invert | ast.Not):
            start, end = self.span(node)
            kept = self.source[start:end].removeprefix("~").removeprefix("not").lstrip()
            self.add(start, end - len(kept), "")
        self.generic_visit(node)

    def visit_Constant(self, node):
        start, end = self.span(node)
        if isinstance(node.value, bool):
            self.add(start, end, str(not node.value))
        elif isinstance(node.value, int):
            self.add(start, end, "0" if node.value == 1 else str(node.value + 1))

    def visit_IfExp(self, node):
        start, end = self.span(node.test)
        self.add(start, end, f"not ({self.source[start:end]})")
        self.generic_visit(node)

    def visit_Call(self, node):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("If", "Elif") and node.args:
            start, end = self.span(node.args[0])
            self.add(start, end, f"~({self.source[start:end]})")
        elif name == "Mux" and len(node.args) == 3:
            (start, middle), (other, end) = self.span(node.args[1]), self.span(node.args[2])
            self.add(start, end, f"{self.source[other:end]}{self.source[middle:other]}"
                                 f"{self.source[start:middle]}")
        elif name in METHODS and not node.args:
            end = self.span(node)[1]
            start = self.source.rfind(name, 0, end)
            self.add(start, start + len(name), METHODS[name])
        self.generic_visit(node)

    def visit_If(self, node):
        start, end = self.span(node.test)
        self.add(start, end, f"not ({self.source[start:end]})")
        self.generic_visit(node)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node):
        pass

    def visit_FunctionDef(self, node):
        for default in [*node.args.defaults, *(one for one in node.args.kw_defaults if one)]:
            self.visit(default)
        for statement in node.body:
            self.visit(statement)

    def visit_JoinedStr(self, node):
        pass

    def visit_keyword(self, node):
        if node.arg != "reset_less":    # a reset of what nobody looks at before it is set
            self.visit(node.value)


def all_mutants(source: str) -> list[Mutant]:
    """Every change to the source, from its top to its bottom, none twice."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    return sorted(set(finder.found), key=lambda one: (one.start, one.end, one.new))


def one_a_line(source: str) -> list[Mutant]:
    """One change for each line that has any; which, its text decides."""
    lines: dict[int, list[Mutant]] = {}
    for mutant in all_mutants(source):
        lines.setdefault(mutant.line, []).append(mutant)
    return [changes[int.from_bytes(hashlib.sha256(changes[0].text.encode()).digest()[:4]) % len(changes)]
            for changes in lines.values()]
